import io
import json
import sys
import tempfile
import unittest
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

import numpy as np

import ichain


def argv(*words):
    sys.argv = ["task.py", *words]


class Task(unittest.TestCase):
    def test_the_last_word_is_the_mode_and_the_others_are_the_jobs(self):
        argv("--lr", "0.1", "0")
        self.assertEqual(ichain.mode(), ichain.WORK)
        self.assertEqual(ichain.args(), ["--lr", "0.1"])
        argv("1")
        self.assertEqual(ichain.mode(), ichain.MEASURE)
        self.assertEqual(ichain.args(), [])

    def test_any_other_mode_ends_the_task(self):
        for words in ([], ["3"], ["0", "x"]):
            argv(*words)
            with self.assertRaises(SystemExit):
                ichain.mode()


class Checkpoints(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.given, self.made = Path(folder.name, "in"), Path(folder.name, "out")
        for name, path in (("_IN", self.given), ("_OUT", self.made)):
            patch = mock.patch.object(ichain.checkpoint, name, path)
            patch.start()
            self.addCleanup(patch.stop)

    def names(self):
        return sorted(path.name for path in self.made.iterdir())

    def test_what_was_saved_is_where_the_next_task_goes_on(self):
        self.assertIsNone(ichain.checkpoint.load())
        ichain.checkpoint.save(7, {"w": np.arange(3)})
        self.made.rename(self.given)
        step, arrays = ichain.checkpoint.load()
        self.assertEqual(step, 7)
        np.testing.assert_array_equal(arrays["w"], np.arange(3))
        self.assertEqual(ichain.checkpoint.newest(), self.given / "7")

    def test_only_a_complete_one_has_its_number_for_a_name(self):
        with self.assertRaises(RuntimeError), ichain.checkpoint.writing(1) as folder:
            (folder / "half").write_text("x")
            raise RuntimeError
        self.assertEqual(self.names(), ["1.part"])
        with ichain.checkpoint.writing(1) as folder:
            self.assertEqual(list(folder.iterdir()), [])
            self.assertEqual(self.names(), ["1.part"])
        self.assertEqual(self.names(), ["1"])

    def test_two_are_kept_at_a_time(self):
        for step in (9, 10, 11):
            ichain.checkpoint.save(step, {"w": np.zeros(1)})
        self.assertEqual(self.names(), ["10", "11"])

    def test_steps_go_up_from_the_checkpoint_that_the_task_began_with(self):
        (self.given / "5").mkdir(parents=True)
        for step in (-1, 0, 5, 10**15):
            with self.assertRaises(ValueError):
                ichain.checkpoint.save(step, {})
        ichain.checkpoint.save(6, {})
        with self.assertRaises(ValueError):
            ichain.checkpoint.save(6, {})


class Rounds(unittest.TestCase):
    MODEL = {"w": np.arange(6, dtype="f4").reshape(2, 3), "b": np.zeros(3, "f4")}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.given, self.made = Path(folder.name, "in"), Path(folder.name, "out")
        for name, path in (("_IN", self.given), ("_OUT", self.made)):
            path.mkdir()
            patch = mock.patch.object(ichain.rounds, name, path)
            patch.start()
            self.addCleanup(patch.stop)
        ichain.save(self.given / "model.safetensors", self.MODEL)

    def test_a_round_is_what_lies_in_the_run(self):
        ichain.save(self.given / "part.safetensors", {"x": np.ones((4, 2), "f4"), "y": np.arange(4, dtype="u1")})
        facts = {"round": 2, "rounds": 5, "seed": 7, "local": {"epochs": 3, "lr": 0.1}}
        (self.given / "round.json").write_text(json.dumps(facts))
        now = ichain.round()
        self.assertEqual((now.number, now.rounds, now.seed, now.local), (2, 5, 7, facts["local"]))
        np.testing.assert_array_equal(now.model["w"], self.MODEL["w"])
        self.assertEqual(now.part["y"].tolist(), [0, 1, 2, 3])
        self.assertIsNone(now.data)
        (self.given / "part.safetensors").unlink()
        (self.given / "data").mkdir()
        now = ichain.round()
        self.assertEqual((now.part, now.data), ({}, self.given / "data"))

    def test_a_model_has_the_arrays_that_it_had_as_float32(self):
        ichain.save_model({"w": self.MODEL["w"].astype("f8") + 0.5, "b": [1, 2, 3]})
        left = ichain.load(self.made / "model.safetensors")
        np.testing.assert_array_equal(left["w"], self.MODEL["w"] + np.float32(0.5), strict=True)
        np.testing.assert_array_equal(left["b"], np.array([1, 2, 3], "f4"), strict=True)

    def test_a_model_that_would_be_refused_is_not_written(self):
        for change in ({"w": np.zeros((3, 2))}, {"c": np.zeros(1)}, {"b": [1, np.nan, 0]}, {"b": [1e39, 0, 0]}):
            with self.assertRaises(ValueError):
                ichain.save_model({**self.MODEL, **change})
        with self.assertRaises(ValueError):
            ichain.save_model({"w": self.MODEL["w"]})
        self.assertEqual(list(self.made.iterdir()), [])

    def test_public_rows_and_what_is_said_of_them_come_and_go_as_files(self):
        facts = {"round": 1, "rounds": 1, "seed": 1, "local": {}}
        (self.given / "round.json").write_text(json.dumps(facts))
        self.assertIsNone(ichain.round().public)
        ichain.save(self.given / "public.safetensors", {"x": np.ones((2, 1), "f4")})
        self.assertIsNone(ichain.round().target)
        ichain.save(self.given / "scores.safetensors", {"target": np.ones((2, 3), "f4")})
        now = ichain.round()
        self.assertEqual((now.public["x"].shape, now.target.shape), ((2, 1), (2, 3)))
        ichain.save_scores(now.target * 2, before=now.target)
        left = ichain.load(self.made / "scores.safetensors")
        np.testing.assert_array_equal(left["after"] - left["before"], np.ones((2, 3), "f4"), strict=True)
        with self.assertRaises(ValueError):
            ichain.save_scores([[np.inf]])

    def test_every_model_is_measured_on_every_set_and_none_can_end_the_job(self):
        for folder in ("models", "sets"):
            (self.given / folder).mkdir()
        for name, value in {"model": 0.5, "update-0": np.inf, "update-1": np.nan}.items():
            ichain.save(self.given / "models" / f"{name}.safetensors", {"w": np.array([value], "f4")})
        for name, rows in {"hidden": 2, "own-0": 1}.items():
            ichain.save(self.given / "sets" / f"{name}.safetensors", {"x": np.ones((rows, 1), "f4")})
        ichain.measure(lambda model, rows: {"acc": model["w"][0], "loss": model["w"][0] * len(rows["x"])})
        found = json.loads((self.made / "measured.json").read_text(), parse_constant=self.fail)
        self.assertEqual(found["model"], {"hidden": {"acc": 0.5, "loss": 1.0}, "own-0": {"acc": 0.5, "loss": 0.5}})
        for bad in ("update-0", "update-1"):
            self.assertEqual(found[bad]["hidden"], {"acc": 0.0, "loss": 1e9})


class Log(unittest.TestCase):
    def test_prints_a_line_for_each_metric(self):
        with redirect_stdout(io.StringIO()) as out:
            ichain.log(acc=np.float32(0.5), loss=1e-7, epoch=3)
            ichain.log(**{"val.acc": np.array(0.25)})
        self.assertEqual(out.getvalue(), "acc: 0.5\nloss: 1e-07\nepoch: 3.0\nval.acc: 0.25\n")

    def test_refuses_what_would_be_passed_over_and_prints_nothing_then(self):
        with redirect_stdout(io.StringIO()) as out:
            for metrics in ({"loss": float("nan")}, {"loss": float("inf")}, {"a b": 1}, {"ä": 1}, {"x" * 65: 1}, {"": 1}):
                with self.assertRaises(ValueError):
                    ichain.log(good=1, **metrics)
        self.assertEqual(out.getvalue(), "")


class Tensors(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "model.safetensors"

    def test_arrays_come_back_as_they_were(self):
        random = np.random.default_rng(0)
        codes = ["?", "u1", "i1", "i2", "u2", "f2", "i4", "u4", "f4", "c8", "f8", "i8", "u8"]
        shapes = [(), (0,), (3,), (2, 0, 4), (2, 3)]
        arrays = {
            f"{code} {shape}": (random.random(shape) * 100).astype(code) for code in codes for shape in shapes
        }
        arrays["nan"] = np.array([np.nan, np.inf, -0.0], "f4")
        ichain.save(self.path, arrays, {"format": "np"})
        back = ichain.load(self.path)
        self.assertEqual(back.keys(), arrays.keys())
        for name, array in arrays.items():
            self.assertEqual(back[name].dtype, array.dtype, name)
            np.testing.assert_array_equal(back[name], array, name, strict=True)
            self.assertTrue(back[name].flags.writeable)

    def test_order_in_memory_and_byte_order_do_not_matter(self):
        array = np.arange(6, dtype="f4").reshape(2, 3)
        ichain.save(self.path, {"b": array, "a": array.astype("f8")})
        plain = self.path.read_bytes()
        for same in (np.asfortranarray(array), array.astype(">f4"), np.repeat(array, 2, 1)[:, ::2]):
            ichain.save(self.path, {"a": array.astype(">f8"), "b": same})
            self.assertEqual(self.path.read_bytes(), plain)

    def test_lists_and_numbers_are_arrays_too(self):
        ichain.save(self.path, {"list": [1.5, 2], "number": 7})
        back = ichain.load(self.path)
        self.assertEqual(back["list"].tolist(), [1.5, 2])
        self.assertEqual(back["number"].shape, ())

    def test_bfloat16_becomes_float32(self):
        text = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
        self.path.write_bytes(len(text).to_bytes(8, "little") + text + bytes.fromhex("803f20c0"))
        np.testing.assert_array_equal(ichain.load(self.path)["a"], np.array([1, -2.5], "f4"), strict=True)

    def test_what_the_format_does_not_have_is_refused(self):
        for value in (np.array([object()]), ["text"], np.array([1], "M8[s]"), np.array([1], "c16")):
            with self.assertRaises(TypeError):
                ichain.save(self.path, {"a": value})
        with self.assertRaises(TypeError):
            ichain.save(self.path, {}, {"a": 1})
        with self.assertRaises(ValueError):
            ichain.save(self.path, {"__metadata__": [1]})
        self.assertFalse(self.path.exists())


if __name__ == "__main__":
    unittest.main()
