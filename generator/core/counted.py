"""Numbers with their nouns in messages."""


def counted(number: int, noun: str) -> str:
    """`1 pod`, `3 pods`, `2,000 files`, `2 policies`: nouns whose plural ends in s."""
    if number == 1:
        return f"1 {noun}"
    many = f"{noun[:-1]}ie" if noun.endswith("y") and noun[-2] not in "aeiou" else noun
    return f"{number:,} {many}s"
