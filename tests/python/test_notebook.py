"""The notebook of samples/ runs, as it stands there; its outputs are those that it has, but for pictures and times."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

PATH = Path(__file__).resolve().parent.parent.parent / "samples" / "fovea.ipynb"
MOST_BYTES = 200_000


def texts(cell: Any) -> str:
    """All of it: into how many outputs the kernel cuts what is printed depends on time."""
    found = []
    for output in cell.get("outputs", []):
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        found.append("".join(text))
    return "".join(found)


class Notebook(unittest.TestCase):
    def test_runs(self) -> None:
        self.assertLess(PATH.stat().st_size, MOST_BYTES)
        notebook = nbformat.read(PATH, as_version=4)
        nbformat.validate(notebook)
        recorded = [cell.copy() for cell in notebook.cells]
        with tempfile.TemporaryDirectory() as folder:
            client = NotebookClient(
                notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}}
            )
            client.execute()
        compared = 0
        for was, now in zip(recorded, notebook.cells):
            if was["cell_type"] != "code" or "machine" in was["metadata"].get("tags", []):
                continue
            self.assertEqual(texts(was), texts(now), was["source"])
            compared += len(texts(now))
        self.assertGreater(compared, 200)


if __name__ == "__main__":
    unittest.main()
