"""From a PDF page's own coordinates (y upwards, unturned) to those of the page as displayed (y downwards), and back."""

from dataclasses import dataclass

from tasks.ocr.words import Box


@dataclass(frozen=True)
class Display:
    """`bounds` is (left, bottom, right, top) of what is shown of the page; `rotation` its /Rotate, in degrees."""

    bounds: tuple[float, float, float, float]
    rotation: int

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points as displayed."""
        left, bottom, right, top = self.bounds
        size = right - left, top - bottom
        return size if self.rotation in (0, 180) else (size[1], size[0])

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Position at which a point of the page is displayed."""
        left, bottom, right, top = self.bounds
        match self.rotation:
            case 90:
                return y - bottom, x - left
            case 180:
                return right - x, y - bottom
            case 270:
                return top - y, right - x
            case _:
                return x - left, top - y

    def inverse(self, x: float, y: float) -> tuple[float, float]:
        """The point of the page that is displayed at (x, y)."""
        left, bottom, right, top = self.bounds
        match self.rotation:
            case 90:
                return y + left, x + bottom
            case 180:
                return right - x, y + bottom
            case 270:
                return right - y, top - x
            case _:
                return x + left, top - y

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """A rectangle of the page as displayed, to a hundredth of a point."""
        x0, y0 = self.point(left, bottom)
        x1, y1 = self.point(right, top)
        return round(min(x0, x1), 2), round(min(y0, y1), 2), round(max(x0, x1), 2), round(max(y0, y1), 2)
