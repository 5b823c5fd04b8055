"""Vocabulary and files: indices and back, unknown tokens (I3), one-hot vectors (I2), JSON."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrrepresent import Tensor, grad, take
from rnn import DataError, FileError, Vocabulary, bundled_text, read_text, sunspots, tokenize


def test_characters_and_back():
    vocabulary = Vocabulary.of("hello", special=())
    assert vocabulary.tokens == ("e", "h", "l", "o")
    assert vocabulary.encode("hole").tolist() == [1, 3, 2, 0]
    assert vocabulary.decode([1, 3, 2, 0]) == "hole"
    assert repr(vocabulary) == "<vocabulary of 4 characters>"


@given(st.text(min_size=1, max_size=50))
def test_any_text_comes_back(text):
    vocabulary = Vocabulary.of(text)
    assert vocabulary.decode(vocabulary.encode(text, eos=True)) == text


def test_words():
    text = "We hold these truths, don't we? 南开 大学 很 好"
    assert tokenize(text, "word") == [
        *["We", "hold", "these", "truths", ",", "don't", "we", "?", "南开", "大学", "很", "好"],
    ]
    vocabulary = Vocabulary.of(text, unit="word")
    assert vocabulary.decode(vocabulary.encode("these truths hold")) == "these truths hold"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("हिन्दी भाषा।", ["हिन्दी", "भाषा", "।"]),
        ("cafe\u0301, nai\u0308ve's", ["cafe\u0301", ",", "nai\u0308ve's"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),  # with an invisible joiner
        ("!\u0301a", ["!\u0301", "a"]),
        ("\u0301 a", ["\u0301", "a"]),
    ],
)
def test_marks_stay_with_their_letter(text, words):
    assert tokenize(text, "word") == words


@given(st.text(st.characters(categories=["L", "M", "N", "P", "Zs"]), max_size=30))
def test_words_leave_out_nothing_but_blanks(text):
    assert "".join(tokenize(text, "word")) == "".join(text.split())


def test_half_a_character_cannot_be_saved(tmp_path):
    with pytest.raises(DataError, match=r"'\\ud800' is half of a character"):
        Vocabulary.of("a\ud800").save(tmp_path / "v.json")


def test_closing_marks_follow_their_word():
    text = "Britain, (long) used to it: 3.5 times; 很 好。"
    vocabulary = Vocabulary.of(text, unit="word")
    written = vocabulary.decode(vocabulary.encode(text))
    assert written == "Britain, ( long) used to it: 3. 5 times; 很 好。"
    assert np.array_equal(vocabulary.encode(written), vocabulary.encode(text))


def test_an_unknown_token_is_unk_and_never_a_key_error():
    vocabulary = Vocabulary.of("abc")
    assert vocabulary.encode("xay").tolist() == [1, vocabulary["a"], 1]
    assert vocabulary.tokens[vocabulary["x"]] == "<unk>"
    without = Vocabulary.of("abc", special=())
    with pytest.raises(DataError, match=r"'x' is not among the 3 tokens.*no <unk>"):
        without.encode("ax")


def test_rare_tokens_are_left_out():
    vocabulary = Vocabulary.of(["a", "a", "a", "b", "b", "c"], min_count=2)
    assert vocabulary.tokens == ("<pad>", "<unk>", "<eos>", "a", "b")


def test_decoding_stops_at_eos_and_leaves_out_padding():
    vocabulary = Vocabulary.of("ab")
    a, b = vocabulary["a"], vocabulary["b"]
    assert vocabulary.decode([a, vocabulary.pad, b, vocabulary.eos, a]) == "ab"
    assert vocabulary.encode("ab", eos=True).tolist() == [a, b, vocabulary.eos]


def test_one_hot_vectors_are_equally_far_apart():
    e = Vocabulary.of("abcdef").one_hot(range(9))
    assert np.array_equal(e @ e.T, np.eye(9))  # inner products 0
    distances = np.linalg.norm(e[:, None] - e[None], axis=-1)
    np.testing.assert_allclose(distances[~np.eye(9, dtype=bool)], np.sqrt(2), rtol=1e-15)


def test_an_embedding_is_a_product_with_one_hot_vectors():
    # I4: looking up rows, or multiplying by e_i, and gradients of repeated tokens add up
    vocabulary = Vocabulary.of("abc", special=())
    indices = vocabulary.encode("abcaab")
    table = Tensor(np.random.default_rng(0).normal(size=(3, 5)))
    looked_up, product = take(table, indices), vocabulary.one_hot(indices) @ table
    assert np.array_equal(looked_up.numpy(), product.numpy())
    weights = np.random.default_rng(1).normal(size=looked_up.shape)
    a, b = grad(looked_up, table, weights), grad(product, table, weights)
    np.testing.assert_allclose(a, b, rtol=1e-15)
    np.testing.assert_allclose(a[0], weights[[0, 3, 4]].sum(0), rtol=1e-15)


def test_saving_and_loading(tmp_path):
    vocabulary = Vocabulary.of("南开大学\n\"'", unit="character")
    vocabulary.save(tmp_path / "deep" / "v.json")
    loaded = Vocabulary.load(tmp_path / "deep" / "v.json")
    assert loaded == vocabulary
    assert hash(loaded) == hash(vocabulary)
    assert loaded != Vocabulary(vocabulary.tokens, "word")
    assert "南" in (tmp_path / "deep" / "v.json").read_text("utf-8")  # readable, not escaped


@pytest.mark.parametrize(
    "text", ["[1]", '{"unit": "word"}', '{"unit": "x", "tokens": ["a"]}', "{", "[" * 100_000]
)
def test_a_file_that_is_no_vocabulary(tmp_path, text):
    (tmp_path / "v.json").write_text(text)
    with pytest.raises(DataError, match="vocabulary"):
        Vocabulary.load(tmp_path / "v.json")


def test_wrong_vocabularies():
    with pytest.raises(DataError, match="'a' is there twice"):
        Vocabulary("aba")
    with pytest.raises(DataError, match="the corpus: a list or a string is needed, got None"):
        Vocabulary.of(None)
    for empty in ("", []):
        with pytest.raises(DataError, match="of a corpus, but this one is empty"):
            Vocabulary.of(empty)
    with pytest.raises(DataError, match="at least one token"):
        Vocabulary([])
    with pytest.raises(DataError, match="the tokens of a vocabulary are strings, got 3"):
        Vocabulary(["a", 3])
    for unit in ("chars", "words"):
        with pytest.raises(DataError, match=f"'character' or 'word', got '{unit}'"):
            tokenize("to be", unit)
    with pytest.raises(DataError, match=r"index 7 is not in 0\.\.4"):
        Vocabulary.of("ab").decode([7])
    with pytest.raises(DataError, match=r"one row, got shape \(2, 1\)"):
        Vocabulary.of("ab").decode([[3], [4]])
    with pytest.raises(DataError, match="no <eos> to add"):
        Vocabulary.of("ab", special=()).encode("a", eos=True)
    for tokens in ([1], "abc", None):
        with pytest.raises(DataError, match="tokens must be a list of strings"):
            Vocabulary.from_json({"unit": "word", "tokens": tokens})


# --- files ---------------------------------------------------------------------------------------


def test_the_bundled_text_is_the_declaration():
    text = bundled_text("declaration")
    assert len(text) == 9330
    assert len(set(text)) == 63
    assert "We hold these truths to be self-evident" in text
    with pytest.raises(DataError, match="no bundled text 'bible'"):
        bundled_text("bible")


def test_sunspots():
    years, numbers = sunspots()
    assert years.tolist() == list(range(1700, 2009))
    assert (numbers[0], numbers[-1]) == (5, 2.9)
    assert numbers.min() >= 0


def test_reading_a_text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb")
    assert read_text(path) == "a\nb"
    path.write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match="not UTF-8: byte 0xe9 at position 3"):
        read_text(path)
    path.write_bytes(b" \n")
    with pytest.raises(DataError, match="is empty"):
        read_text(path)
    with pytest.raises(FileError, match=r"cannot read .*no such file"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(FileError, match="is a directory"):
        read_text(tmp_path)


def test_json_keeps_the_order_of_tokens():
    data = Vocabulary.of("ba", special=()).to_json()
    assert json.loads(json.dumps(data)) == {"unit": "character", "tokens": ["a", "b"]}
