"""pyproject.toml lists every package, as setuptools takes no other, and the links agree with its mapping."""

from __future__ import annotations

import pytest

from tests.packaging.layout import FOLDERS, PACKAGES, ROOT, source_files


def test_every_folder_with_python_files_is_a_listed_package() -> None:
    folders = {name.rpartition("/")[0] for name in source_files(ROOT) if name.endswith(".py")}
    assert {folder.replace("/", ".") for folder in folders} == PACKAGES


@pytest.mark.parametrize("package", [package for package in FOLDERS if "." in package])
def test_link_leads_where_the_installer_maps(package: str) -> None:
    link = ROOT / package.replace(".", "/")
    assert link.readlink().as_posix() == f"../{FOLDERS[package]}"
