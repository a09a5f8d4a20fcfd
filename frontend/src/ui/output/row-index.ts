// Which screen row shows which line. Lines differ in height (wrapping) and may be filtered out, so rows are counted
// in blocks: appending costs one entry, finding a row walks the blocks and then one block.
import { plainText } from './ansi'
import { breaksOf, expandTabs } from './cells'
import type { LineLog, OutputLine } from './line-log'

export interface RowPlace {
  line: number
  /** Row within the line, from 0. */
  row: number
}

export interface Shape {
  /** Characters per row; 0 means that lines are not wrapped. */
  columns: number
  keeps: (line: OutputLine) => boolean
}

interface Block {
  lines: number[]
  rows: number[]
  total: number
}

const BLOCK = 512

export class RowIndex {
  total = 0
  /** Rows that left at the top during the latest sync; a reader who scrolled up must be moved by them. */
  dropped = 0
  private blocks: Block[] = []
  private next: number
  private open: { block: Block; at: number }[] = []

  constructor(
    private readonly log: LineLog,
    private readonly shape: Shape,
  ) {
    this.next = log.first
  }

  sync(): void {
    this.dropped = 0
    this.remeasure()
    this.next = Math.max(this.next, this.log.first)
    for (; this.next < this.log.end; this.next += 1) this.add(this.next)
    this.dropOld()
  }

  locate(row: number): RowPlace | null {
    let left = row
    for (const block of this.blocks) {
      if (left >= block.total) {
        left -= block.total
        continue
      }
      for (let at = 0; at < block.lines.length; at += 1) {
        const rows = block.rows[at] as number
        if (left < rows) return { line: block.lines[at] as number, row: left }
        left -= rows
      }
    }
    return null
  }

  /** The first row of a line, or of the next one shown when that line is filtered out. */
  rowOf(line: number): number {
    let row = 0
    for (const block of this.blocks) {
      if ((block.lines.at(-1) ?? -1) < line) {
        row += block.total
        continue
      }
      for (let at = 0; at < block.lines.length && (block.lines[at] as number) < line; at += 1) row += block.rows[at] as number
      return row
    }
    return row
  }

  /** The next shown line after this one. */
  *following(place: RowPlace): Generator<RowPlace> {
    const first = this.blocks.findIndex((block) => (block.lines.at(-1) ?? -1) >= place.line)
    if (first < 0) return
    for (let index = first; index < this.blocks.length; index += 1) {
      const block = this.blocks[index] as Block
      for (let at = 0; at < block.lines.length; at += 1) {
        const line = block.lines[at] as number
        if (line < place.line) continue
        for (let row = line === place.line ? place.row : 0; row < (block.rows[at] as number); row += 1) yield { line, row }
      }
    }
  }

  private heightOf(line: OutputLine): number {
    if (this.shape.columns <= 0) return 1
    return breaksOf(expandTabs(plainText(line.text)), this.shape.columns).length + 1
  }

  private add(number: number): void {
    const line = this.log.at(number)
    if (!line || !this.shape.keeps(line)) return
    let block = this.blocks.at(-1)
    if (!block || block.lines.length >= BLOCK) {
      block = { lines: [], rows: [], total: 0 }
      this.blocks.push(block)
    }
    const rows = this.heightOf(line)
    block.lines.push(number)
    block.rows.push(rows)
    block.total += rows
    this.total += rows
    if (!line.closed && this.shape.columns > 0) this.open.push({ block, at: block.lines.length - 1 })
  }

  private remeasure(): void {
    this.open = this.open.filter(({ block, at }) => {
      const line = this.log.at(block.lines[at] as number)
      if (!line) return false
      const change = this.heightOf(line) - (block.rows[at] as number)
      block.rows[at] = (block.rows[at] as number) + change
      block.total += change
      this.total += change
      return !line.closed
    })
  }

  private dropOld(): void {
    for (let block = this.blocks[0]; block; block = this.blocks[0]) {
      if ((block.lines.at(-1) ?? -1) >= this.log.first) break
      this.blocks.shift()
      this.forget(block.total)
    }
    const block = this.blocks[0]
    if (!block || (block.lines[0] ?? 0) >= this.log.first) return
    let gone = 0
    while (gone < block.lines.length && (block.lines[gone] as number) < this.log.first) gone += 1
    const rows = block.rows.slice(0, gone).reduce((sum, one) => sum + one, 0)
    const kept = { lines: block.lines.slice(gone), rows: block.rows.slice(gone), total: block.total - rows }
    this.open = this.open
      .map((entry) => (entry.block === block ? { block: kept, at: entry.at - gone } : entry))
      .filter((entry) => entry.at >= 0)
    this.blocks[0] = kept
    this.forget(rows)
  }

  private forget(rows: number): void {
    this.total -= rows
    this.dropped += rows
  }
}
