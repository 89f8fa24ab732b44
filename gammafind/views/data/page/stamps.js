// Markers of sources. A browser copies a small picture much faster than it strokes a circle, and
// thousands of markers have few shapes, colours and sizes.

const LARGEST_STAMP = 24;
const STROKE = 3.4;

class Stamps {
  constructor() {
    this.made = new Map();
  }

  draw(context, diamond, radius, colour, x, y) {
    if (radius > LARGEST_STAMP) {
      strokeMark(context, diamond, radius, colour, x, y);
      return;
    }
    const stamp = this.of(diamond, Math.round(2 * radius) / 2, colour);
    const ratio = window.devicePixelRatio || 1;
    const whole = (value) => Math.round((value - stamp.half) * ratio) / ratio;
    context.drawImage(stamp.image, whole(x), whole(y), 2 * stamp.half, 2 * stamp.half);
  }

  of(diamond, radius, colour) {
    const ratio = window.devicePixelRatio || 1;
    const key = `${diamond} ${radius} ${colour} ${ratio}`;
    let stamp = this.made.get(key);
    if (!stamp) {
      const half = Math.ceil(radius + STROKE / 2 + 0.5);
      const side = Math.ceil(2 * half * ratio);
      const canvas = new OffscreenCanvas(side, side);
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      strokeMark(context, diamond, radius, colour, half, half);
      stamp = { image: canvas.transferToImageBitmap(), half };
      this.made.set(key, stamp);
    }
    return stamp;
  }
}

/** A circle or a diamond on a dark rim, so that it is seen on any colour. */
function strokeMark(context, diamond, radius, colour, x, y) {
  context.beginPath();
  if (diamond) {
    context.moveTo(x, y - radius);
    context.lineTo(x + radius, y);
    context.lineTo(x, y + radius);
    context.lineTo(x - radius, y);
    context.closePath();
  } else context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = STROKE;
  context.strokeStyle = "rgb(0 0 0 / 55%)";
  context.stroke();
  context.lineWidth = 1.6;
  context.strokeStyle = colour;
  context.stroke();
}
