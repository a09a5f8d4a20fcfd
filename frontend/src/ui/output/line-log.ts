// A bounded log of lines: appending is cheap, the oldest lines go when the bound is reached. Not reactive on purpose.
import type { Sgr } from './ansi'

export type LineKind = 'stdout' | 'stderr' | 'gap'

let serials = 0
const nextSerial = (): number => (serials += 1)

export class OutputLine {
  /** False while more text of the same line may come. */
  closed = false
  /** Grows with every line made, so that a log can tell whether it still holds a line. */
  readonly serial = nextSerial()

  constructor(
    public text: string,
    readonly source: number,
    readonly kind: LineKind,
    readonly start: Sgr,
  ) {}
}

export interface Bound {
  lines: number
  characters: number
}

const COMPACT_AFTER = 4_096

export class LineLog {
  /** Number of the first line that is still here; lines keep their number for ever. */
  first = 0
  private items: OutputLine[] = []
  private head = 0
  private characters = 0

  constructor(private readonly bound: Bound) {}

  get end(): number {
    return this.first + this.items.length - this.head
  }

  get size(): number {
    return this.items.length - this.head
  }

  at(number: number): OutputLine | undefined {
    return number < this.first ? undefined : this.items[this.head + number - this.first]
  }

  last(): OutputLine | undefined {
    return this.size > 0 ? this.items.at(-1) : undefined
  }

  push(line: OutputLine): void {
    this.items.push(line)
    this.grow(line, line.text.length)
  }

  /** Tells that a line became longer (or shorter) by so many characters; nothing to do once it was dropped. */
  grow(line: OutputLine, characters: number): void {
    if (line.serial < (this.items[this.head]?.serial ?? 0)) return
    this.characters += characters
    while (this.size > this.bound.lines || (this.characters > this.bound.characters && this.size > 1)) this.dropFirst()
  }

  *lines(): Generator<OutputLine> {
    for (let index = this.head; index < this.items.length; index += 1) yield this.items[index] as OutputLine
  }

  private dropFirst(): void {
    this.characters -= this.items[this.head]?.text.length ?? 0
    this.head += 1
    this.first += 1
    if (this.head >= COMPACT_AFTER && this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
  }
}
