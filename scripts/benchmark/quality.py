"""How near thumbnails are to a full decode that is scaled down with Lanczos."""
import os
import tempfile

import numpy as np
from PIL import Image, ImageOps

import pictures
import products
from contest import Contest, Goal
from processes import run

# The constants of Wang, Bovik, Sheikh, Simoncelli: "Image quality assessment", 2004; 8 x 8 windows.
C1, C2, WINDOW = (0.01 * 255) ** 2, (0.03 * 255) ** 2, 8


def means(values):
    """Mean over each window, from sums along both sides."""
    total = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    windows = total[WINDOW:, WINDOW:] - total[:-WINDOW, WINDOW:] - total[WINDOW:, :-WINDOW]
    return (windows + total[:-WINDOW, :-WINDOW]) / WINDOW**2


def ssim(one, other):
    """Structural similarity of two pictures' brightness."""
    x, y = (np.asarray(image.convert("L"), dtype=np.float64) for image in (one, other))
    mean_x, mean_y = means(x), means(y)
    var_x, var_y = means(x * x) - mean_x**2, means(y * y) - mean_y**2
    both = means(x * y) - mean_x * mean_y
    top = (2 * mean_x * mean_y + C1) * (2 * both + C2)
    return float((top / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))).mean())


def thumbnails(bench):
    contest = Contest(
        "quality of a thumbnail: SSIM against a full decode with Lanczos",
        "",
        [Goal("Image Vault", "vipsthumbnail", at_least=0.999, worst=True)],
        "A photograph each round. Both at JPEG quality 80, whose rounding is most of what is lost.",
    )
    photos = bench.photos[: 8 if bench.quick else 24]
    with tempfile.TemporaryDirectory(dir=bench.scratch) as folder:
        ours, theirs = os.path.join(folder, "ours"), os.path.join(folder, "theirs")
        os.mkdir(ours)
        os.mkdir(theirs)
        run([os.path.join(products.RELEASE, "examples", "thumbnails"), ours, *photos])
        run(pictures.vipsthumbnail(photos, theirs))
        for photo in photos:
            whole = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
            for name, made in (("Image Vault", ours), ("vipsthumbnail", theirs)):
                small = Image.open(os.path.join(made, os.path.basename(photo)))
                contest.add(name, ssim(whole.resize(small.size, Image.Resampling.LANCZOS), small))
    return [contest]
