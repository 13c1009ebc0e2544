"""Static files under the names that pages ask for, made small once."""

from pathlib import Path

from core.base.static_files import ManifestStorage


def test_only_what_pages_ask_for_is_compressed(tmp_path: Path) -> None:
    for name in ("a.js", "a.123456789012.js", "a.js.123456789012.map"):
        (tmp_path / name).write_text("let saiga = 'Saiga tatarica';\n" * 100)
    storage = ManifestStorage(location=tmp_path)
    storage.hashed_files = {"a.js": "a.123456789012.js", "a.js.map": "a.js.123456789012.map"}

    made = dict(storage.compress_files({"a.js", "a.123456789012.js", "a.js.123456789012.map"}))

    assert set(made) == {"a.123456789012.js"}
    assert (tmp_path / "a.123456789012.js.gz").exists()
