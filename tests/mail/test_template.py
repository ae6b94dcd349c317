"""What a template may say, and what becomes of it for one recipient."""

import pytest

from tasks.mail.render import Checked, Letter, Rendered, check, render
from tasks.mail.template import Problem, Source, problems

ADA = Letter(
    position=1,
    address="ada@example.com",
    user={"id": 1, "name": "Ada <b>", "email": "ada@example.com", "locale": "en", "plan": "pro"},
    message_id="<1@example.com>",
    unsubscribe_url="https://example.com/unsubscribe/1",
)


def source(**fields: str) -> Source:
    return Source(**{"subject": "s", "html": "<p>h</p>", "text": "t", **fields})


def rendered(**fields: str) -> Rendered:
    answer = render(source(**fields), ADA)
    assert isinstance(answer, Rendered), answer
    return answer


def test_only_the_html_is_escaped() -> None:
    answer = rendered(subject="{{ user.name }}", html="<p>{{ user.name }}</p>", text="{{ user.name }}")
    assert answer.subject == answer.text == "Ada <b>"
    assert "<p>Ada &lt;b&gt;</p>" in answer.html


def test_styles_move_into_the_elements_and_media_queries_stay() -> None:
    answer = rendered(html="<style>p{color:red}@media(max-width:9px){p{color:blue}}</style><p>x</p>")
    assert '<p style="color: red;">x</p>' in answer.html and "@media" in answer.html


def test_nothing_is_loaded_from_elsewhere() -> None:
    answer = rendered(html='<link rel="stylesheet" href="file:///etc/passwd"><p>x</p>')
    assert "root:" not in answer.html


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("one\n{% if %}", 2, "Expected an expression"),
        ("{{ user.name }", 1, "unexpected '}'"),
        ("{% for x in [1] %}\n", 1, "Unexpected end of template"),
        ("a\nb\n{{ company }}", 3, "there is no variable company"),
        ("{{ user.nickname }}", 1, "user has no nickname; it has id, name, email, locale, plan"),
        ('{{ user["nickname"] }}', 1, "user has no nickname"),
        ("{% if user.plan == 'x' %}{{ user.rank }}{% endif %}", 1, "user has no rank"),
        ("{% include 'other' %}", 1, "stands alone"),
        ("  \n", None, "html is empty"),
        ("{{ nothing|nofilter }}", 1, "No filter named"),
        ("x" * 500_001, None, "500,000 are the limit"),
    ],
)
def test_problems_are_found_without_rendering(text: str, line: int | None, message: str) -> None:
    (found,) = problems(source(html=text))[:1]
    assert (found.field, found.line) == ("html", line)
    assert message in found.reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% set u = user %}\n{{ u.company }}", "has no attribute 'company'"),
        ("\n{{ user.name.__class__.__mro__ }}", "unsafe"),
        ("\n{{ ''.__class__ }}", "unsafe"),
        ("\n{{ 'a' * 10**9 }}", "100,000 characters"),
        ("\n{{ 9 ** 99999 }}", "exponent"),
        ("\n{{ range(10**9)|list }}", "Range too big"),
        ("\n{{ 1/0 }}", "division by zero"),
        ("{% set u = user %}\n{{ u.update({'id': 2}) }}", "unsafe"),
    ],
)
def test_problems_that_only_rendering_finds_name_the_line(text: str, message: str) -> None:
    assert problems(source(text=text)) == []
    answer = render(source(text=text), ADA)
    assert isinstance(answer, Problem)
    assert (answer.field, answer.line) == ("text", 2)
    assert message in answer.sentence


def test_a_loop_cannot_make_a_message_of_any_size() -> None:
    answer = render(source(text="{% for a in range(99999) %}{{ 'x' * 99 }}{% endfor %}"), ADA)
    assert isinstance(answer, Problem) and "2,000,000" in answer.reason


def test_a_check_says_which_user_it_fails_for() -> None:
    other = Letter(2, "b@example.com", ADA.user | {"id": 22, "name": "Mononym"}, "<2@example.com>", ADA.unsubscribe_url)
    words = source(text="{{ user.name.split()[1] }}")
    fine = check(words, [ADA], "news@example.org")
    assert isinstance(fine, Checked) and fine.largest > 300
    found = check(words, [ADA, other], "news@example.org")
    assert isinstance(found, list) and "(for user 22)" in found[0].reason
