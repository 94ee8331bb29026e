import pytest

from optdsl.config import Config, ConfigError, load_config


def test_the_nearest_file_with_the_table_counts(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.optdsl]\nspecs = ["a.opt"]\noutput = "out"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n")
    config = load_config(inner)
    assert config.root == tmp_path
    assert (config.specs, config.output, config.is_explicit) == (("a.opt",), "out", True)
    assert config.targets == ("numpy", "tf1", "keras_v2")


def test_without_a_table_all_is_default(tmp_path):
    assert load_config(tmp_path) == Config(root=tmp_path, is_explicit=False)


BROKEN = {
    "is no TOML": "[tool.optdsl\n",
    "has to be a table": "[tool]\noptdsl = 1\n",
    "no setting 'spec'; did you mean 'specs'?": "[tool.optdsl]\nspec = []\n",
    "'specs' of .* has to be a list of texts": "[tool.optdsl]\nspecs = 'a.opt'\n",
    "'targets' of .* has to be a list of texts": "[tool.optdsl]\ntargets = [1]\n",
    "no target 'tf'": "[tool.optdsl]\ntargets = ['tf']\n",
    "no target 'numpi'; did you mean 'numpy'": "[tool.optdsl]\ntargets = ['numpi']\n",
    "'output' of .* has to be the name": "[tool.optdsl]\noutput = 1\n",
}


@pytest.mark.parametrize("message", BROKEN)
def test_what_is_wrong_is_said_with_the_file(tmp_path, message):
    (tmp_path / "pyproject.toml").write_text(BROKEN[message])
    with pytest.raises(ConfigError, match=message) as error:
        load_config(tmp_path)
    assert str(error.value).startswith(str(tmp_path / "pyproject.toml"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = 1\n\x00", b"[" * 100_000])
def test_a_file_that_is_no_text(tmp_path, content):
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(ConfigError, match="is no TOML"):
        load_config(tmp_path)


def test_a_tool_that_is_no_table(tmp_path):
    (tmp_path / "pyproject.toml").write_text("tool = 1\n")
    assert not load_config(tmp_path).is_explicit
