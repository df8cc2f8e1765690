"""What is read from logs of several programs, and what is refused in one line."""

import pytest

from medseg.errors import DataError
from medseg.studies.history.read import read_log

OURS = """epoch,train_loss,learning_rate,seconds,val_mean_dice,val_dice_lung,val_dice_infection
1,0.9,0.001,10.0,,,
2,0.7,0.001,20.0,0.6,0.8,0.4
3,0.6,0.001,30.0,,,
4,0.5,0.0001,40.0,0.75,0.9,0.6
"""
BANNER = """
#######################################################################
Please cite the following paper when using nnU-Net:
#######################################################################
"""
EPOCH = """2024-04-26 09:39:10.910043: Epoch {epoch} 
2024-04-26 09:39:10.914042: Current learning rate: 0.01 
using pin_memory on device 0
2024-04-26 09:41:39.493872: train_loss {loss} 
2024-04-26 09:41:39.498914: val_loss -0.4628 
2024-04-26 09:41:39.501914: Pseudo dice {dice} 
2024-04-26 09:41:39.505914: Epoch time: 148.59 s 
2024-04-26 09:41:39.507914: Yayy! New best EMA pseudo Dice: 0.0 
2024-04-26 09:41:40.302549:  
"""


@pytest.fixture
def log(tmp_path):
    def read(text, name="log.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return read_log(path)

    return read


def test_ours_has_its_time_and_no_learning_rate(log):
    read = log(OURS)
    assert read.kind == "medseg"
    assert read.epochs == (1, 2, 3, 4)
    assert read.seconds == (10, 20, 30, 40)
    assert [*read.curves] == ["train_loss", "val_mean_dice", "val_dice_lung", "val_dice_infection"]
    assert read.notes == ()


def test_an_epoch_without_validation_is_no_remark(log):
    lung = log(OURS).curves["val_dice_lung"]
    assert (str(lung[0]), lung[1], str(lung[2]), lung[3]) == ("nan", 0.8, "nan", 0.9)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_keras_may_separate_its_cells_otherwise(log, separator):
    read = log("epoch,loss,val_loss\n0,1.0,1.5\n1,0.5,0.9\n".replace(",", separator))
    assert read.kind == "Keras"
    assert read.curves == {"loss": (1.0, 0.5), "val_loss": (1.5, 0.9)}


def test_a_column_of_texts_is_no_metric(log):
    assert [*log("epoch,date,loss\n0,monday,1\n1,tuesday,2\n").curves] == ["loss"]


def test_nnunet_has_a_dice_for_each_class_and_their_mean(log):
    text = BANNER + EPOCH.format(epoch=0, loss=0.7088, dice="[0.2, 0.6]")
    read = log(text + EPOCH.format(epoch=1, loss=-0.4, dice="[0.4, 0.8]"), "training_log_1.txt")
    assert read.kind == "nnU-Net"
    assert read.epochs == (0, 1)
    assert read.seconds == (148.59, 148.59)
    assert read.curves["train_loss"] == (0.7088, -0.4)
    assert read.curves["val_dice_2"] == (0.6, 0.8)
    assert read.curves["val_mean_dice"] == pytest.approx((0.4, 0.6))


def test_numbers_of_numpy_2_are_read_and_a_class_without_one_is_left_out(log):
    text = EPOCH.format(epoch=0, loss=1, dice="[np.float32(0.25), nan]")
    read = log(text + EPOCH.format(epoch=1, loss=1, dice="[np.float32(0.5), 0.75]"))
    assert read.curves["val_dice_1"] == (0.25, 0.5)
    assert read.curves["val_mean_dice"] == (0.25, 0.625)
    assert read.notes == ("val_dice_2 is not a number in 1 of 2 epochs, left out there",)


def test_an_epoch_that_runs_is_not_counted(log):
    begun = "2024-04-26 09:39:10.910043: Epoch 1 \n"
    assert log(EPOCH.format(epoch=0, loss=1, dice="[0.5]") + begun).epochs == (0,)


def test_the_starts_of_one_nnunet_training_are_joined(tmp_path):
    # Ten o'clock comes after nine, though not by the alphabet.
    for name, epochs in (("2024_4_26_9_00_00", (0, 1, 2)), ("2024_4_26_10_00_00", (2, 3))):
        text = "".join(EPOCH.format(epoch=e, loss=e, dice="[0.5]") for e in epochs)
        (tmp_path / f"training_log_{name}.txt").write_text(text)
    read = read_log(tmp_path)
    assert read.epochs == (0, 1, 2, 3)
    assert read.notes == ("1 epoch was run again after a resume; the last run of each counts",)


def test_epochs_that_come_again_replace_all_that_was_run_after_them(log):
    # Stopped after epoch 3, resumed from the end of epoch 1: 2 and 3 were lost.
    rows = "0,1.0\n1,0.9\n2,0.1\n3,0.1\n2,0.8\n3,0.7\n"
    read = log(f"epoch,loss\n{rows}")
    assert read.curves["loss"] == (1.0, 0.9, 0.8, 0.7)
    assert read.notes == ("2 epochs were run again after a resume; the last run of each counts",)


def test_what_is_not_a_number_is_left_out_and_told(log):
    read = log("epoch,loss,val_loss\n0,1.0,NaN\n1,inf,NaN\n2,0.5,NaN\n")
    assert str(read.curves["loss"]) == "(1.0, nan, 0.5)"
    assert read.notes == (
        "loss is not a number in 1 of 3 epochs, left out there",
        "val_loss is never a number, and left out",
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty; use medseg's metrics.csv"),
        ("a,b\n1,2\n", "is no log of a training: no column 'epoch', no line 'Epoch 0'"),
        ("epoch,loss\n", "holds no epoch yet"),
        (BANNER, "holds no epoch yet"),
        ("epoch,loss\n0,nan\n", "no metric has a number in any epoch"),
        ("epoch,loss\n0,1\n1,x\n", "line 3: loss 'x' is not a number"),
        ("epoch,loss\none,1\n1,1\n", "line 2: epoch 'one' is not a number"),
        ("epoch,loss\n0.5,1\n", "line 2: epoch '0.5' is not a whole number"),
    ],
)
def test_what_is_no_log_is_refused_in_one_line(log, text, says):
    with pytest.raises(DataError) as error:
        log(text)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_picture_a_folder_and_nothing_are_refused(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    for path, says in (
        (tmp_path / "picture.png", "is no text"),
        (tmp_path, "no metrics.csv and no training_log_"),
        (tmp_path / "nowhere.csv", "cannot read the log"),
    ):
        with pytest.raises(DataError, match=says):
            read_log(path)
