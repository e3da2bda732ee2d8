import pytest

from index.errors import SettingsError
from index.paths import Home
from rag.settings import Settings, load_settings


def test_later_sources_win(tmp_path):
    home = Home(tmp_path)
    (tmp_path / "settings.toml").write_text('model = "small"\nevidence_tokens = 100\nanswer_tokens = 50\n')
    settings = load_settings(
        home, environment={"BYLINE_EVIDENCE_TOKENS": "200", "BYLINE_MODEL": ""}, overrides={"answer_tokens": 70}
    )
    assert settings == Settings(model="small", evidence_tokens=200, answer_tokens=70)


@pytest.mark.parametrize(
    ("file", "environment", "message"),
    [
        ("modle = 'small'", {}, "Unknown setting 'modle'"),
        ("evidence_tokens = 'many'", {}, "evidence_tokens must be a int"),
        ("model = ", {}, "is not valid TOML"),
        ("", {"BYLINE_ANSWER_TOKENS": "0"}, "answer_tokens is 0"),
        ("citation_support = 2.0", {}, "between 0 and 1"),
        ("seconds = 'soon'", {}, "seconds must be a float"),
        ("seconds = inf", {}, "seconds is inf; it must be 0"),
        ("", {"BYLINE_SECONDS": "nan"}, "seconds is nan; it must be 0"),
        ("precision = 'int4'", {}, "precision is 'int4'"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, file, environment, message):
    (tmp_path / "settings.toml").write_text(file)
    with pytest.raises(SettingsError, match=message):
        load_settings(Home(tmp_path), environment=environment)


def test_the_time_limit_comes_from_anywhere(tmp_path):
    (tmp_path / "settings.toml").write_text("seconds = 4\n")
    home = Home(tmp_path)
    assert load_settings(home, environment={}).seconds == 4.0
    assert load_settings(home, environment={"BYLINE_SECONDS": "2.5"}).seconds == 2.5
    assert load_settings(home, environment={"BYLINE_SECONDS": "2.5"}, overrides={"seconds": 0.0}).seconds == 0.0
    assert Settings().seconds == 0.0


def test_the_index_folder_is_the_default_one_or_the_named(tmp_path):
    home = Home(tmp_path)
    assert Settings().index_folder(home) == tmp_path / "indexes" / "default"
    assert Settings(index="/elsewhere").index_folder(home).as_posix() == "/elsewhere"
