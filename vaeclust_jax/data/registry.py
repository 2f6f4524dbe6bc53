"""The named data sets: what each one holds, where it is published and how to recognise it."""

from collections.abc import Callable
from dataclasses import dataclass

from vaeclust_jax.data import digit_shapes, formats, generated, wingbeat
from vaeclust_jax.data.download import Archive
from vaeclust_jax.data.formats import Arrays, Files


@dataclass(frozen=True)
class Entry:
    """One named data set.

    Attributes:
        description: one line about it.
        shape: of `x` as it is loaded. The stored array may lack a last axis of length one.
        num_classes: the documented number of classes; None if it has none.
        home: the page that publishes or describes it.
        class_names: in label order; the stored `y` may use any values in that order.
        archives: the published files; empty where none can be downloaded directly.
        decode: turns the files into the stored `x` and `y`.
        digest: `array_digest(x, y)` of the decoded arrays, where the archives have no published hash.
        part_of: another named set and the range of its rows that make up this one.
        by_hand: how to get it where nothing can be downloaded directly.
        embedded: reads or makes `x` and `y` where they come with an installed package.
        objects: whether the rows of a class are views of one object, which are not independent.
    """

    description: str
    shape: tuple[int, ...]
    num_classes: int | None
    home: str
    class_names: tuple[str, ...] | None = None
    archives: tuple[Archive, ...] = ()
    decode: Callable[[Files], Arrays] | None = None
    digest: str | None = None
    part_of: tuple[str, int, int] | None = None
    by_hand: str = ""
    embedded: Callable[[], Arrays] | None = None
    objects: bool = False


def _idx_files(bases: tuple[str, ...], md5: dict[str, str]) -> tuple[Archive, ...]:
    return tuple(Archive(file, tuple(base + file for base in bases), f"md5:{hash_}") for file, hash_ in md5.items())


_LIBSVM = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass"
_COIL20 = "columbia.edu/CAVE/databases/SLAM_coil-20_coil-100/coil-20/coil-20-proc.zip"
_SANTAFE = "http://www-psych.stanford.edu/~andreas/Time-Series/SantaFe"
_WEB_ARCHIVE = "https://web.archive.org/web/20160427182805if_"
_CONTEXT_SWITCH = "denismr/Unsupervised-Context-Switch-For-Classification-Tasks"
_FREQUENCIES = (5, 25, 80, 90, 100, 120, 130, 160, 180, 200, 500)
_DIGIT_NAMES = tuple("0123456789")

DATASETS: dict[str, Entry] = {
    "digits": Entry(
        description="handwritten digits, 8 x 8 grey, part of scikit-learn",
        shape=(1797, 8, 8, 1),
        num_classes=10,
        home="https://archive.ics.uci.edu/dataset/80",
        class_names=_DIGIT_NAMES,
        embedded=formats.read_digits,
    ),
    "digit-shapes": Entry(
        description="the shapes of 0 to 9 as dots, 21 x 15, one of each: patterns for a memory",
        shape=(10, 21, 15, 1),
        num_classes=10,
        home="vaeclust_jax.data.digit_shapes",
        class_names=_DIGIT_NAMES,
        embedded=digit_shapes.shapes,
    ),
    "coil20": Entry(
        description="COIL-20 (processed): 20 objects on a turntable, 72 poses each, 128 x 128 grey",
        shape=(1440, 128, 128, 1),
        num_classes=20,
        home="https://www.cs.columbia.edu/CAVE/software/softlib/coil-20.php",
        class_names=tuple(f"object {k}" for k in range(1, 21)),
        archives=(Archive("coil-20-proc.zip", (f"https://www.cs.{_COIL20}", f"http://www.cs.{_COIL20}")),),
        decode=formats.decode_coil20,
        digest="bf5be48fa9561f77874c57ccc84b6919c366bf2c6e4eef84e3a4702f62010f2b",
        objects=True,
    ),
    "mnist": Entry(
        description="MNIST handwritten digits, 28 x 28 grey; rows 0-59999 are the training part",
        shape=(70000, 28, 28, 1),
        num_classes=10,
        home="http://yann.lecun.com/exdb/mnist/",
        class_names=_DIGIT_NAMES,
        archives=_idx_files(
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            {
                "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
                "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
                "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
            },
        ),
        decode=formats.decode_mnist,
    ),
    "mnist-test": Entry(
        description="the test part of MNIST",
        shape=(10000, 28, 28, 1),
        num_classes=10,
        home="http://yann.lecun.com/exdb/mnist/",
        class_names=_DIGIT_NAMES,
        part_of=("mnist", 60000, 70000),
    ),
    "fashion-mnist": Entry(
        description="Fashion-MNIST articles of clothing, 28 x 28 grey; rows 0-59999 are the training part",
        shape=(70000, 28, 28, 1),
        num_classes=10,
        home="https://github.com/zalandoresearch/fashion-mnist",
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        archives=_idx_files(
            (
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            ),
            {
                "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
                "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
                "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
            },
        ),
        decode=formats.decode_mnist,
    ),
    "usps": Entry(
        description="USPS handwritten digits, 16 x 16 grey; rows 0-7290 are the training part",
        shape=(9298, 16, 16, 1),
        num_classes=10,
        home="https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps",
        class_names=_DIGIT_NAMES,
        archives=(
            Archive("usps.bz2", (f"{_LIBSVM}/usps.bz2",), "md5:ec16c51db3855ca6c91edd34d0e9b197"),
            Archive("usps.t.bz2", (f"{_LIBSVM}/usps.t.bz2",), "md5:8ea070ee2aca1ac39742fdd1ef5ed118"),
        ),
        decode=formats.decode_usps,
    ),
    "pendigits": Entry(
        description="pen-written digits as 16 coordinates 0..100; rows 0-7493 are the training part",
        shape=(10992, 16),
        num_classes=10,
        home="https://archive.ics.uci.edu/dataset/81",
        class_names=_DIGIT_NAMES,
        archives=(
            Archive(
                "pen+based+recognition+of+handwritten+digits.zip",
                ("https://archive.ics.uci.edu/static/public/81/pen+based+recognition+of+handwritten+digits.zip",),
                "sha256:1e02bea023613c2b11c9492f6f34caf975420455934f3527d270cee9a1f03b64",
            ),
        ),
        decode=formats.decode_pendigits,
    ),
    "santafe-laser": Entry(
        description="Santa Fe series A: intensity of a chaotic laser, one value 0..255 a row, no classes",
        shape=(10093, 1),
        num_classes=None,
        home=f"{_SANTAFE}.html",
        archives=tuple(
            Archive(file, (f"{_SANTAFE}/{file}", f"{_WEB_ARCHIVE}/{_SANTAFE}/{file}")) for file in ("A.dat", "A.cont")
        ),
        decode=formats.decode_santafe,
        digest="5bfa9021d96dafdd9af0f495c61f3ed47952da14319c6def58ddfecfc6335f2b",
    ),
    "wingbeat-frequencies": Entry(
        description="optical-sensor events of five insect species: wing-beat frequency (Hz), temperature (C)",
        shape=(101400, 2),
        num_classes=5,
        home=f"https://github.com/{_CONTEXT_SWITCH}",
        class_names=tuple(f"species {k}" for k in range(1, 6)),
        archives=(
            Archive(
                "WBFInsects.csv",
                (
                    f"https://raw.githubusercontent.com/{_CONTEXT_SWITCH}"
                    "/410b803502ededa125aa21b22de9e0b8ef5830c2/code/luajit/data/WBFInsects.csv",
                ),
            ),
        ),
        decode=formats.decode_frequencies,
        digest="7e4f568b57d167265548e12b1f79761f967b9efc4d0b3eb801eeb83d9b797852",
    ),
    "wingbeat-aedes": Entry(
        description="laser-sensor events of Aedes aegypti: wing beat, six spectral peaks, temperature range",
        shape=(1800, 8),
        num_classes=2,
        home="https://github.com/andregustavom/mlquantify",
        class_names=("female", "male"),
        by_hand="take the data frame aeAegypti of the R package mlquantify (y: class 1 is 0, class 2 is 1)",
    ),
    "wingbeat-simulated": Entry(
        description="simulated wing-beat spectra of eleven frequencies, log10 power in 193 bins to 2 kHz",
        shape=(11000, 193),
        num_classes=11,
        home="https://github.com/remhdyr/dynamicBeta",
        class_names=tuple(f"{frequency} Hz" for frequency in _FREQUENCIES),
        by_hand="take the spectra in Data/ (published as pickles, which are never read here: convert them, "
        "log10, in order of frequency, with the frequency as y)",
    ),
    "wingbeat": Entry(
        description="optical insect events made here: spectra in 193 bins to 2 kHz; rows 0-5499 are balanced",
        shape=(10500, 193),
        num_classes=11,
        home="vaeclust_jax.data.wingbeat",
        class_names=wingbeat.known_names(),
        embedded=wingbeat.known_events,
    ),
    "wingbeat-strangers": Entry(
        description="events made here of four species that wingbeat does not hold",
        shape=(400, 193),
        num_classes=4,
        home="vaeclust_jax.data.wingbeat",
        class_names=wingbeat.stranger_names(),
        embedded=wingbeat.strange_events,
    ),
    "lorenz": Entry(
        description="made here: the square of the Lorenz system's x, a chaotic series like a laser's, no classes",
        shape=(3000, 1),
        num_classes=None,
        home="vaeclust_jax.data.generated",
        embedded=generated.lorenz,
    ),
    "cylinder-bell-funnel": Entry(
        description="made here: noisy series of 128 steps that hold a plateau, a rise or a fall",
        shape=(900, 128),
        num_classes=3,
        home="vaeclust_jax.data.generated",
        class_names=("cylinder", "bell", "funnel"),
        embedded=generated.cylinder_bell_funnel,
    ),
    "smooth-surface": Entry(
        description="made here: two inputs and a smooth function of them, the last column, no classes",
        shape=(3000, 3),
        num_classes=None,
        home="vaeclust_jax.data.generated",
        embedded=generated.smooth_surface,
    ),
    "noisy-wave": Entry(
        description="made here: x and sin(x^2) with noise, no classes",
        shape=(300, 2),
        num_classes=None,
        home="vaeclust_jax.data.generated",
        embedded=generated.noisy_wave,
    ),
}
