"""The generated data are what their docstrings say: checked by other means than they are made."""

import itertools
import re

import adding
import agreement
import caption
import cloze
import continual_reber
import copy_memory
import data_reber
import data_segmentation
import data_tang
import digit_sum
import homophones
import melody
import names
import numpy as np
import pytest
import sentiment
import shortest_paths
import temporal_order
import translation
import word_model

RNG = np.random.default_rng(7)


def test_the_adding_problem_marks_one_number_in_each_half():
    x, y = adding.batch(RNG, 20, 300)
    marks = x[:, :, 1]
    assert x.shape == (20, 300, 2)
    assert (marks[:10].sum(0) == 1).all() and (marks[10:].sum(0) == 1).all()
    places = marks.argsort(0, kind="stable")[-2:]
    np.testing.assert_allclose(np.take_along_axis(x[:, :, 0], places, 0).sum(0), y[:, 0], rtol=1e-6)
    assert abs(float(np.var(adding.batch(RNG, 5, 200_000)[1])) - 1 / 6) < 2e-3


def test_temporal_order_has_two_symbols_that_count():
    x, classes = temporal_order.batch(RNG, 100, 400)
    assert (x.sum(-1) == 1).all()
    assert (np.bincount(classes, minlength=4) > 60).all()
    for k in range(400):
        letters = "".join(temporal_order.SYMBOLS[i] for i in x[:, k].argmax(-1))
        found = re.fullmatch(r"[abcd]{10,19}([XY])[abcd]{30,48}([XY])[abcd]{40,49}", letters)
        assert found and "XXXYYXYY"[2 * classes[k] : 2 * classes[k] + 2] == "".join(found.groups())


def test_copy_memory_repeats_after_the_bell():
    x, y = copy_memory.batch(RNG, 10, 5, 50)
    assert x.shape == y.shape == (20, 50)
    assert ((x == copy_memory.BELL).sum(0) == 1).all() and (x[14] == copy_memory.BELL).all()
    assert (y[15:] == x[:5]).all() and (y[:15] == copy_memory.BLANK).all()


def test_digit_sum_disturbs_one_zero_of_every_pair():
    x, y = digit_sum.digits(RNG, 10, 3)
    assert x.shape == (10, 300) and len({tuple(pair) for pair in x[:2].T}) == 100
    assert ((x[2:] != 0).sum(0) <= 1).all() and (x[2:] != 0).any()
    assert (y == x[0] + x[1]).all() and y.max() == 18


def test_agreement_asks_for_the_number_of_the_first_word():
    x, number = agreement.sentences(RNG, 30, 200)
    first = [agreement.VOCABULARY.tokens[i] for i in x[0]]
    assert [word in agreement.PLURAL for word in first] == number.astype(bool).tolist()
    assert 0.4 < number.mean() < 0.6
    later = (x[1:] < len(agreement.SINGULAR + agreement.PLURAL)).any(0)
    assert later.mean() > 0.9  # nearly every sentence has other nouns, to mislead


def test_sentiment_is_the_sign_of_what_is_said():
    for _ in range(300):
        indices, good = sentiment.review(RNG, 30)
        text = " ".join(sentiment.WORDS[i] for i in indices)
        said = re.findall(r"(not )?(?:(good|lovely|witty|moving)|(bad|dull|silly|flat))", text)
        votes = [(1 if praise else -1) * (-1 if turned else 1) for turned, praise, _ in said]
        assert len(votes) % 2 == 1 and (sum(votes) > 0) == bool(good)
        assert "<pad>" not in text


def test_reber_strings_are_those_of_its_regular_expression():
    after_x = r"(?:XT*VP)*(?:S|XT*VV)"
    grammar = re.compile(rf"B(?:TS*X{after_x}|PT*V(?:V|P{after_x}))E")
    strings = [data_reber.reber(RNG)[0] for _ in range(500)]
    assert all(grammar.fullmatch(string) for string in strings)
    assert len(set(strings)) > 60


def test_embedded_reber_names_all_letters_that_may_follow():
    seen: dict[str, set[str]] = {}
    strings = [data_reber.embedded(RNG) for _ in range(3000)]
    for string, following in strings:
        assert len(following) == len(string) and following[-1] == ""
        assert re.fullmatch(r"B([TP])B.*E\1E", string)
        for t in range(min(len(string) - 1, 6)):
            assert string[t + 1] in following[t]
            seen.setdefault(string[: t + 1], set()).add(string[t + 1])
    common = {s[: t + 1]: set(f[t]) for s, f in strings for t in range(5)}
    assert all(seen[prefix] <= common[prefix] for prefix in common)
    assert sum(seen[prefix] == common[prefix] for prefix in common) > 0.9 * len(common)


def test_streams_of_strings_go_on_without_a_gap():
    letters, following, number = continual_reber.streams(RNG, 200, 3)
    assert letters.shape == number.shape == (200, 3) and following.shape == (200, 3, 7)
    for k in range(3):
        stream = "".join(data_reber.SYMBOLS[i] for i in letters[:, k])
        ends = np.flatnonzero(np.diff(number[:, k])) + 1
        strings = [stream[i:j] for i, j in itertools.pairwise([0, *ends])]
        assert len(strings) > 5 and "".join(strings) + stream[ends[-1] :] == stream
        assert all(re.fullmatch(r"B([TP])B.*E\1E", string) for string in strings)
        assert (following[ends - 1, k].sum(-1) == 1).all()  # after the last E, only B
        then = letters[1:, k]
        assert following[np.arange(199), k, then].all()


def test_segmentation_tags_can_be_read_back():
    sentences = data_segmentation.sentences(data_segmentation.TRAIN + data_segmentation.TEST)
    for sentence in sentences:
        text, tags = "".join(sentence), data_segmentation.tags(sentence)
        assert len(text) == len(tags) and data_segmentation.words(text, tags) == sentence
    assert data_segmentation.tags(["我", "喜欢", "图书馆"]) == "SBEBME"
    assert data_segmentation.words("图书", "BM") == ["图书"]


def test_segmentation_test_sentences_are_new_and_made_of_known_characters():
    train = {"".join(s) for s in data_segmentation.sentences(data_segmentation.TRAIN)}
    test = ["".join(s) for s in data_segmentation.sentences(data_segmentation.TEST)]
    assert not train & set(test)
    assert set("".join(test)) <= set("".join(train))


def test_poems_have_the_form_of_quatrains():
    assert all(re.fullmatch(r"(\w{5}，\w{5}。){2}", poem) for poem in data_tang.QUATRAINS)
    assert len({poem[:5] for poem in data_tang.QUATRAINS}) == len(data_tang.QUATRAINS)


@pytest.mark.parametrize("named", [True, False])
def test_name_sentences_do_not_tell_before_the_word_in_question(named):
    found = [names.sentence(RNG) for _ in range(2000)]
    for words, tags, place in found:
        assert len(words) == len(tags) and words[place] in names.EITHER
        assert tags == [int(tags[place] and i in (place, place + 1)) for i in range(len(words))]
    beginnings = {tuple(w[: p + 1]) for w, t, p in found if t[p] == named}
    assert beginnings == {tuple(w[: p + 1]) for w, t, p in found}


def test_melodies_stay_in_the_scale_of_their_seed_and_come_home():
    for _ in range(200):
        notes = melody.melody(RNG)
        assert set(notes) <= set(melody.scale(notes[0]).tolist())
        assert notes[-1] == notes[0] and len(notes) >= 8 and max(notes) < melody.END


def test_the_convolution_of_a_caption_is_one():
    encoder, x = caption.Convolution(RNG), RNG.random((2, 8, 8)).astype(np.float32)
    kernels, bias = encoder.filters.weight.numpy().reshape(8, 3, 3), encoder.filters.bias.numpy()
    found = encoder(x).numpy().reshape(2, 3, 3, 8)
    for n, i, j, k in np.ndindex(found.shape):
        places = [
            (x[n, a : a + 3, b : b + 3] * kernels[k]).sum() + bias[k]
            for a in (2 * i, 2 * i + 1)
            for b in (2 * j, 2 * j + 1)
        ]
        assert abs(found[n, i, j, k] - max(0, *places)) < 1e-5


def test_distances_are_the_first_powers_of_the_adjacency_matrix_that_reach():
    for n in (5, 8, 12):
        edges, distance = shortest_paths.graph(RNG, n)
        assert sorted((v, u) for u, v in edges) == edges and all(u != v for u, v in edges)
        A = np.zeros((n, n), int)
        A[tuple(np.array(edges).T)] = 1
        walks = [np.linalg.matrix_power(A, k)[0] > 0 for k in range(n)]
        assert distance.tolist() == np.argmax(walks, axis=0).tolist()
    drawn = shortest_paths.distances(shortest_paths.DRAWN, len(shortest_paths.PLACES))
    assert drawn.tolist() == [x for x, _ in shortest_paths.PLACES]  # placed by their distance


def test_clauses_of_the_declaration_are_trained_on_or_held_out():
    train, test = word_model.clauses()
    assert 0.1 < len(test) / (len(train) + len(test)) < 0.15
    assert ["he", "has", "affected", "to", "render", "the", "military", "independent", "of", "and",
            "superior", "to", "the", "civil", "power"] in train + test  # fmt: skip
    text = re.sub(r"\s+", " ", word_model.bundled_text().lower())
    assert all(" ".join(clause[:3]) in text for clause in train + test if "-" not in clause)
    assert not any(mark in clause for clause in train + test for mark in ".,;:")


def test_both_directions_are_needed_to_fill_the_gap():
    found = [cloze.question(RNG) for _ in range(400)]
    assert {place for _, place in found} == set(range(len(cloze.PLACES)))
    for text, place in found:
        behind = " ".join(text[text.index(cloze.GAP) + 1 :])
        assert [cloze.PLACES[place]] == [p for p, d in cloze.THERE.items() if behind in d]


def test_sentences_that_sound_alike_differ_in_one_word_that_both_are():
    for text, word in homophones.SENTENCES:
        other = homophones.swapped(text, word).split()
        differing = [(a, b) for a, b in zip(text.split(), other, strict=True) if a != b]
        assert set(differing) == {(word, homophones.OTHER[word])}
    texts = [text for text, _ in homophones.SENTENCES]
    assert len(set(texts)) == len(texts) and homophones.FIRST.format("pear") in texts


def test_chinese_says_the_time_after_the_person_and_english_at_the_end():
    assert len(translation.PAIRS) == 6 * 12 * 8
    times = translation.PAST | translation.FUTURE
    for english, chinese in translation.PAIRS:
        (when,) = [t for t in times if " ".join(english).endswith(f" {t}")]
        assert chinese[0] == translation.PEOPLE[english[0]]
        assert " ".join(chinese[1:]).startswith(times[when])
        assert ("会" in chinese) == ("will" in english) == (chinese[-1] != "了")
    assert (["我", "昨天", "去", "看", "比赛", "了"]) in [c for e, c in translation.PAIRS
                                            if " ".join(e) == translation.SHOWN]  # fmt: skip
