"""Where pipec looks for a pipeline."""

from pathlib import Path

import pytest

from pipec.codes import Code
from pipec.errors import SpecError
from pipec.frontend.discover import NAMES, find


@pytest.mark.parametrize("name", NAMES)
def test_each_of_the_names_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("name: a\n")
    found = find(str(tmp_path))
    assert (found.root, found.path, found.shown) == (str(tmp_path), str(tmp_path / name), name)
    assert found.notation == ("toml" if name.endswith(".toml") else "yaml")


def test_the_nearest_folder_upwards_wins(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (tmp_path / "pipeline.toml").touch()
    (tmp_path / "a" / "pipec.yaml").touch()
    found = find(str(deep))
    assert (found.root, found.shown) == (str(tmp_path / "a"), "../../pipec.yaml")


def test_two_in_one_folder_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").touch()
    (tmp_path / "pipec.yml").touch()
    with pytest.raises(SpecError) as caught:
        find(str(tmp_path))
    assert caught.value.code is Code.SEVERAL_PIPELINES
    assert "`pipeline.toml` and `pipec.yml`" in caught.value.message


def test_a_named_file_may_have_any_name_and_stand_beside_another(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").touch()
    (tmp_path / "other.json").touch()
    found = find(str(tmp_path), "other.json")
    assert (found.shown, found.notation) == ("other.json", "yaml")


@pytest.mark.parametrize("file", ["missing.toml", "notes.txt"])
def test_a_named_file_has_to_be_there_and_in_a_known_notation(tmp_path: Path, file: str) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SpecError) as caught:
        find(str(tmp_path), file)
    assert caught.value.code is Code.NO_PIPELINE
    assert f"`{file}`" in caught.value.message


def test_no_pipeline_anywhere_lists_the_names(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        find(str(tmp_path))
    assert caught.value.code is Code.NO_PIPELINE
    assert all(f"`{name}`" in caught.value.help[0] for name in NAMES)


def test_a_folder_of_that_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pipeline.toml").mkdir()
    with pytest.raises(SpecError) as caught:
        find(str(tmp_path))
    assert caught.value.code is Code.UNREADABLE_FILE
    assert caught.value.message == "`pipeline.toml` is a folder, and a pipeline is a file"
