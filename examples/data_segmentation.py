"""Chinese sentences with their words apart, and the tags that say the same thing.

Chinese is written without spaces. A word's first character is tagged B (begin), its last E (end),
those between M (middle); a word of one character is S (single). To cut a sentence into words is
then to give one tag to every character. The sentences were written for this file. Several need
the characters to the *right*: 研究 is a word in 研究/生命, but not in 研究生/在.
"""

TAGS = "BMES"

TRAIN = """
南开 大学 很 好
我 在 南开 大学 学习
他 是 大学生
我们 都 是 学生
老师 在 图书馆 看 书
她 喜欢 看 电影
我 喜欢 音乐
他们 喜欢 打 篮球
我 想 上 大学
今天 天气 很 好
明天 会 下雨
昨天 下雨 了
我们 去 公园
他 去 北京 了
北京 是 首都
北京 大学 在 北京
我 住 在 天津
天津 的 天气 不 好
研究生 在 图书馆 学习
他 是 研究生
他们 研究 生命
我们 研究 历史
老师 研究 语言
生命 很 重要
学生 要 学习 历史
这 本 书 很 好
那 本 书 不 好 看
我 有 一 本 书
她 有 两 个 朋友
他 的 朋友 是 老师
我 的 朋友 喜欢 音乐
计算机 很 重要
我们 学习 计算机
他 买 了 一 台 计算机
她 在 火车站 等 朋友
火车站 在 公园 旁边
图书馆 在 大学 旁边
我 去 火车站
他们 在 公园 打 篮球
今天 我们 不 去 公园
明天 我 去 图书馆
昨天 他 看 了 电影
这 个 电影 很 好 看
那 个 学生 喜欢 研究 语言
老师 喜欢 那 个 学生
乒乓球 很 有 意思
他 打 乒乓球
我 不 喜欢 打 乒乓球
大学生 活动 很 有 意思
大学 生活 很 有 意思
学生 生活 不 错
我 爱 天津
她 爱 历史
研究生 生活 不 错
"""

TEST = """
他 在 北京 大学 学习
老师 在 火车站 等 学生
我们 去 图书馆 看 书
研究生 喜欢 打 乒乓球
他们 研究 计算机
南开 大学 在 天津
今天 天气 不 好
她 的 朋友 是 大学生
我 喜欢 那 本 书
学生 在 公园 看 电影
大学 生活 很 重要
明天 他 去 北京
她 研究 生命
研究生 在 公园 打 篮球
大学生 活动 很 重要
学生 生活 很 有 意思
"""


def sentences(text: str) -> list[list[str]]:
    """One list of words for each line."""
    return [line.split() for line in text.strip().splitlines()]


def tags(words: list[str]) -> str:
    """The tag of every character: ``BE`` for a word of two, ``S`` for a word of one."""
    return "".join("S" if len(w) == 1 else "B" + "M" * (len(w) - 2) + "E" for w in words)


def words(characters: str, tags: str) -> list[str]:
    """Cut a sentence after every E and S; what no E or S ends is a last word of its own."""
    found, start = [], 0
    for i, tag in enumerate(tags):
        if tag in "ES":
            found.append(characters[start : i + 1])
            start = i + 1
    return [*found, characters[start:]] if start < len(characters) else found
