"""Messages show what nobody sees."""

from rupture_repair.project.problems import problem


def test_messages_write_invisible_signs_and_odd_spaces_out():
    said = problem("E201", found="7\u200b\u00a0\ufeff", advice="").message
    assert said.startswith("'7<U+200B><U+00A0><U+FEFF>' is not a number.")
    assert "<U+001B>" in problem("E201", found="\x1b[31m7", advice="").message
