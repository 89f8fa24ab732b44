"""Colours of classes: the same everywhere, and not two alike."""

from __future__ import annotations

from gammafind.catalogue.class_colours import CLASS_COLOURS, OTHER_COLOUR, class_colours
from gammafind.plugins.image_cnn.network import CLASSES


def test_classes_of_images_have_their_colours_whatever_the_image_holds():
    all_classes = class_colours(CLASSES)
    assert list(all_classes) == list(CLASSES)
    assert len({*all_classes.values(), OTHER_COLOUR}) == len(CLASSES) + 1
    few = class_colours(["nothing", "nothing", "star", "UNK"])
    assert few == {name: all_classes[name] for name in ("star", "nothing")}


def test_other_classes_have_colours_by_frequency():
    labels = ["", "", "", "psr", "psr", "bll", "fsrq", "bcu", "agn", "spp"]
    assert next(iter(class_colours(labels).items())) == ("psr", CLASS_COLOURS[0])
    assert list(class_colours(labels)) == ["psr", "bll", "fsrq", "bcu", "agn"]
    assert OTHER_COLOUR not in class_colours(labels).values()
    assert class_colours([""]) == {}
