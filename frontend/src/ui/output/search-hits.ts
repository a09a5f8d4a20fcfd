// Lines of a log that contain what is searched, found piece by piece as lines come in.
import { plainText } from './ansi'
import type { LineLog, OutputLine } from './line-log'

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

export function searchPattern(query: string): RegExp | null {
  if (query.trim() === '') return null
  return new RegExp(escaped(query), 'giu')
}

/** What shows any of these words; null without a word. */
export function anyOf(words: readonly string[]): RegExp | null {
  if (words.length === 0) return null
  const longestFirst = [...words].sort((a, b) => b.length - a.length)
  return new RegExp(longestFirst.map(escaped).join('|'), 'gu')
}

const PER_TURN = 60_000

export class SearchHits {
  lines: number[] = []
  private next: number
  private waiting: number[] = []

  constructor(
    private readonly log: LineLog,
    readonly pattern: RegExp,
    private readonly keeps: (line: OutputLine) => boolean,
  ) {
    this.next = log.first
  }

  /** Looks through at most one turn's worth of new lines; true when more is left for the next frame. */
  sync(): boolean {
    this.next = Math.max(this.next, this.log.first)
    this.lookAgain()
    const stop = Math.min(this.log.end, this.next + PER_TURN)
    for (; this.next < stop; this.next += 1) this.look(this.next)
    if ((this.lines[0] ?? Infinity) < this.log.first) this.lines = this.lines.filter((number) => number >= this.log.first)
    return this.next < this.log.end
  }

  private lookAgain(): void {
    const before = this.waiting
    this.waiting = []
    for (const number of before) this.look(number)
  }

  private look(number: number): void {
    const line = this.log.at(number)
    if (!line || !this.keeps(line)) return
    if (!line.closed) {
      this.waiting.push(number)
      return
    }
    const found = this.pattern.test(plainText(line.text))
    this.pattern.lastIndex = 0
    if (!found) return
    this.lines.push(number)
    if (this.lines.length > 1 && (this.lines.at(-2) as number) > number) this.lines.sort((a, b) => a - b)
  }
}
