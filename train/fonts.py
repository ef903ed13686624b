"""Typefaces with checked hashes: handwritten digits of other people, printed digits, and letters as non-digits.

    python -m train.fonts            fetch them and say where they are

They are packages of the npm registry (@fontsource, SIL Open Font License and the like). The npm client fetches them,
and the cache keeps them beside MNIST. Neither the project nor the wheel contains any of them.
"""

import io
import sys
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge_runtime.records import Uint8
from train import dataset, npm
from train.dataset import DataError

# Version of each package, and SHA-256 of its regular Latin face.
FONTS = {
    "annie-use-your-telescope": ("5.3.0", "26d9ba2054906590316cafe4fee055a4d43fa804a5f44c2aa1bd91911d495f10"),
    "architects-daughter": ("5.3.0", "284a3c1856b253a681c180bf5328cae3b94d4aaab702f6385490ec4e1b449df3"),
    "bad-script": ("5.3.0", "01c47bfe80281d0a2f2554f1226de5e75fca6655751c287bf1590ce350c23971"),
    "caveat": ("5.3.0", "d0b7b931b8980049327e8f8f9ac264617c8200b8422d62e886473d3d9527bad3"),
    "caveat-brush": ("5.3.0", "1e1ef30f8b69c21206603097ad0ba68591539af68214f7cfb2fbd23991accd48"),
    "cedarville-cursive": ("5.3.0", "ac7aa92ed78f9e9598a1efa3aa33b3963daf276b1f4851baa104f647d5f648d8"),
    "chilanka": ("5.3.0", "c563290da81276f1d1c072bbef4419fe8596b538cd8b13de48fed73386647037"),
    "cookie": ("5.3.0", "4e8b3c170321fd6a38ad24b7df1aebf59b19d9f07fada7beef10f7e5664b13f9"),
    "courgette": ("5.3.0", "405773c896e1955562d347744121c4bdfb078188d311b13fcb6471444d191400"),
    "covered-by-your-grace": ("5.3.0", "d2e1a521cf22027d0bb0651f2e6fff548320c18482dd8d52bc4e785563136050"),
    "damion": ("5.3.0", "a49d16838398e9b22a408f9583d79d3cb9307d74ede93182ad50aa1767f47cc1"),
    "dancing-script": ("5.3.0", "570e4265bbcb453353ce2fdf63d179332d8daa92691d567547b8a383f3b46c3b"),
    "delicious-handrawn": ("5.3.0", "2326555b6a7faec1a227b0b8595f51530f981dc6077b5e6ed5aaeb4e585599d7"),
    "delius": ("5.3.0", "ff2f88a12630943f6104ad66149506e5cead8a7c8e85db3263b0e970cfb17994"),
    "ephesis": ("5.3.0", "61997237afc3b4a0dca2ae01e4c3099e930bf00eaf66a6efac66812d7df15d71"),
    "gloria-hallelujah": ("5.3.0", "90b0ef8d2ed6d4b46b4e010e7b335b182c45c330a15bac3ca76497dbae544700"),
    "gochi-hand": ("5.3.0", "8851738d8167bd0384db9dee1df6e5b5e2f9221e613e3466cdea19587a81d7b6"),
    "handlee": ("5.3.0", "d3807ea30015f5082c0a3e2b7803885310db888be091dbc86fecb1ca67f3c622"),
    "homemade-apple": ("5.3.0", "bbaa96c741caa479d4647fc567f64e5ddc71eec58ee9849cb9e8a14bee65bc30"),
    "indie-flower": ("5.3.0", "cb57752edc96294323252e8d84fa25f975943b2ef3e87b2c984b15ca935d7657"),
    "itim": ("5.3.0", "733235cab0000b011f318ba1028f1867ddc16e506ec8231f4134e9c0755d5ca6"),
    "kalam": ("5.3.0", "954410601a823f37e219f7930b7446f86afa15621326a7078d56fb9c910135cb"),
    "kaushan-script": ("5.3.0", "addcc80ddcc170ff8c97140ab37ac380ac4e6d0b8fd14e5d107b4cb87ffd778f"),
    "licorice": ("5.3.0", "7b56033a3eca0a071d4743ee9c1cca2ad9b92682533ef584000cbef3721d5370"),
    "mansalva": ("5.3.0", "f1af85c4066b3cecb1824b2c439fc9ee658e1e0732dd8df683d2d1c517bad47a"),
    "marck-script": ("5.3.0", "b32acf77642711e18c14d57aabeefa02ee25664a7f40929ee5f72396557b6e76"),
    "mr-de-haviland": ("5.3.0", "a72335b7d7b256e00e4c12d6bb418e015613a1d15db02000c94cf319ae732e30"),
    "neucha": ("5.3.0", "5e0c6ca42b9531a42a7994e3ed907ea9e3a360dcaa6f77847ef587340d21d6ac"),
    "oooh-baby": ("5.3.0", "3592f5779ed3dc269d91e755b7031876de68f11230aff31cb4e08a6eb829c41e"),
    "patrick-hand": ("5.3.0", "ac5bc9033b2572bf84d39f7150c1634e37ed16e8dbee632d6d0bceac0bbf0199"),
    "permanent-marker": ("5.3.0", "4884fec2c73aa52a2461073c1b87d1ceb80f400520391b43f97ca7d3c39eeb24"),
    "playpen-sans": ("5.3.0", "0501cbd3556c27d1ecd7476df25ec616754fc646c43b4f37cbe0b3007ad61baa"),
    "reenie-beanie": ("5.3.0", "f86de18375e3edba402d39ff85030e270f724d7af865f74a74c92f34a947072c"),
    "rock-salt": ("5.3.0", "1e17c66b0bccfe2d6f34849744762cf1109de0ef1941b8924760756ecffb5897"),
    "sacramento": ("5.3.0", "2fcd867d2812578d001b0eca921848e24de91d01986f26e038be374ec7c5cfd2"),
    "satisfy": ("5.3.0", "efed75fb59ebfac3006c1a815cef791a300d1a4f7e75b0bf0654fa4f6884098e"),
    "schoolbell": ("5.3.0", "9b308506b890f3b49de775d414f639dfd0a9c88dcc7944451292be56b57a4e77"),
    "shadows-into-light": ("5.3.0", "2498c027559c4ae9a920e18e30031193148983e7ea195416d62c5d0ea2eaa3ac"),
    "shantell-sans": ("5.3.0", "a8c243d16aee38b5d106791343c95e5e77d9ae7f5761d7d432de88e2904fa11f"),
    "short-stack": ("5.3.0", "eed62bca9927bcbd97fa2432f2344013b1bed43f0529d926f00aa63c5d050a36"),
    "sriracha": ("5.3.0", "dd66cc98657b4048be3950edac49aea725b2a9db5db6cea36b639160a88d7691"),
    "sue-ellen-francisco": ("5.3.0", "af35498e786cbebc60db75e5bd1448472dc44cda41698708edc7ae770fbf469c"),
    "swanky-and-moo-moo": ("5.3.0", "e91335294902c18260c372cbefb30d5eb5bccb396f1a46c8796ff68594c531b4"),
    "the-girl-next-door": ("5.3.0", "2f4e5d1a5879c1ae55aea79a7b9f850ab9ea1c2e3557958af290c54bc64e684f"),
    "vibur": ("5.3.0", "ed34f34a0a93a6f3ffc65de77a4202808c4ea924bb37b0d702af1b55e7808c1f"),
    # Printed digits, for forms and sudokus.
    "roboto": ("5.3.0", "425c0713a8176f92273d378599c7eac57de7fafabd4bd0ed457b70eb8f80d371"),
    "open-sans": ("5.3.0", "0e44026ad31376af1b56593cd4acb4f353f8e8789c51759e18f64578e4ef296a"),
    "merriweather": ("5.3.0", "66f5bd22d738a801a9e58d71920559743b0baaced04be299e3c4feca3dce3556"),
    "courier-prime": ("5.3.0", "f09844e1f4fe9e67df2cc77474519e68756d559b4648278b9dd4f03c8ac9c31f"),
    "oswald": ("5.3.0", "e902b779e43944c300cf8ae5e4a1affa68cb8a823fd263dd2f479c4cdfbd213c"),
    "lato": ("5.3.0", "918b7dc3e2e2d015c16ce08b57bcb64d2253bafc1707658f361e72865498e537"),
    "noto-serif": ("5.3.0", "4c0cbe3eec50d260754d681c17ee2af49a43d7fd93ce42877f665fcb1a889b87"),
    "roboto-slab": ("5.3.0", "484e9925bb3045e88a8eec1103ab125e6dbe486172fb56b06fe6751c8b570839"),
    "eb-garamond": ("5.3.0", "912929dba0faab5e151849ea5e988adba3080ad6d2bcc4dbff27aa427896498d"),
    "inter": ("5.3.0", "8909904ab6c872eb994093482a88a28eca2cd95912d7b6fecd72103b0dc07edc"),
}
FILE = "package/files/{name}-latin-400-normal.woff2"
DIGITS = "0123456789"
# Without characters that look like digits in some handwriting: B D I O S Z b g i l o q s z, and the question mark.
LETTERS = "ACEFGHJKLMNPQRTUVWXYacdefhjkmnprtuvwxy&@#+=$*<{}"
LOOK_ALIKE = "OoIilZzSsBbgqD"  # letters that look like digits in some handwriting
BRACKETS = "()[]"  # beside numbers; a 1 is straighter. No slash: many people's 1 slants as much
SIZE = 96  # pixels per em


def names(held_out: bool) -> tuple[str, ...]:
    """Return the training typefaces, or the held-out ones: every fifth."""
    return tuple(name for i, name in enumerate(FONTS) if (i % 5 == 4) == held_out)


@cache
def stamp(name: str, character: str) -> Uint8:
    """Return a character as uint8 (rows, columns), ink bright on 0, cropped to its ink."""
    canvas = Image.new("L", (4 * SIZE, 4 * SIZE))
    ImageDraw.Draw(canvas).text((SIZE, SIZE), character, fill=255, font=typeface(name))
    return np.asarray(canvas.crop(canvas.getbbox()), np.uint8)


def set_text(name: str, text: str) -> tuple[Uint8, int]:
    """Return a text as uint8 (rows, columns), ink bright on 0, cropped to its ink, and the row of its baseline."""
    left, top, right, bottom = typeface(name).getbbox(text, anchor="ls")
    canvas = Image.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=typeface(name), anchor="ls")
    return np.array(canvas, np.uint8), round(-top)


@cache
def typeface(name: str) -> ImageFont.FreeTypeFont:
    """Return a typeface, SIZE pixels per em."""
    return ImageFont.truetype(io.BytesIO((_folder() / f"{name}.woff2").read_bytes()), SIZE)


@cache
def _folder() -> Path:
    """Return the folder of the fonts, after fetching missing ones. Raises DataError where they are not available."""
    files = {
        f"{name}.woff2": npm.Packed(f"@fontsource/{name}", version, FILE.format(name=name), sha256)
        for name, (version, sha256) in FONTS.items()
    }
    return npm.fetched(files, dataset.cache_folder().with_name("fonts"), "typefaces")


if __name__ == "__main__":
    try:
        print(_folder())
    except DataError as error:
        sys.exit(f"error: {error}")
