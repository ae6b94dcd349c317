"""The bar on top: what is used most stands in it, the rest in menus that open without a script."""

import re

import pytest

from dashboard.rendering import NAVIGATION
from tests.dashboard.conftest import Client


def bar(page: str) -> str:
    return page.partition('<nav class="nav"')[2].partition("</nav>")[0]


async def test_every_page_is_in_the_bar_or_in_one_menu(operator: Client) -> None:
    shown = bar((await operator.get("/admin/queues")).text)
    menus = dict(re.findall(r"<summary[^>]*>([^<]+)</summary>(.*?)</details>", shown, re.DOTALL))
    assert list(menus) == ["Work", "People", "System"]
    for link in NAVIGATION:
        assert shown.count(f'href="{link.address}"') == 1
        assert (f'href="{link.address}"' in menus.get(link.menu, "")) == bool(link.menu), link
    assert len({link.key for link in NAVIGATION}) == len(NAVIGATION)


@pytest.mark.parametrize("link", [link for link in NAVIGATION if link.menu], ids=lambda link: link.name)
async def test_the_menu_of_the_page_is_marked(operator: Client, link) -> None:
    shown = bar((await operator.get(link.address)).text)
    assert re.findall(r"<summary aria-current=\"true\">([^<]+)<", shown) == [link.menu]
    assert f'aria-current="page">{link.name}' in shown
