// What one screen row of output consists of: the pieces of text with their colours and search marks.
import { classesOf, plainText, type Span, spansOf } from './ansi'
import { breaksOf, cellsOf, expandTabs } from './cells'
import type { OutputLine } from './line-log'

export interface Piece {
  text: string
  classes: string
  color: string | null
  background: string | null
}

export interface Look {
  columns: number
  pattern: RegExp | null
  /** The line is the one that "next hit" stands on. */
  current: boolean
}

/** The pieces of row `row` of the line. */
export function piecesOf(line: OutputLine, row: number, look: Look): Piece[] {
  const spans = tabless(spansOf(line.text, line.start))
  const text = spans.map((span) => span.text).join('')
  const breaks = breaksOf(text, look.columns)
  const from = row === 0 ? 0 : (breaks[row - 1] ?? text.length)
  const to = breaks[row] ?? text.length
  const marks = look.pattern ? ranges(text, look.pattern) : []
  return cut(spans, from, to, marks, look.current ? 'hit hit-current' : 'hit')
}

/** A line as it goes to the clipboard or a file: no colours, tabs kept. */
export function copyText(line: OutputLine): string {
  return plainText(line.text)
}

function tabless(spans: Span[]): Span[] {
  let column = 0
  return spans.map((span) => {
    const text = expandTabs(span.text, column)
    column += span.text === text ? text.length : [...text].reduce((sum, one) => sum + cellsOf(one), 0)
    return text === span.text ? span : { ...span, text }
  })
}

function ranges(text: string, pattern: RegExp): [number, number][] {
  return Array.from(text.matchAll(pattern), (match) => [match.index, match.index + match[0].length])
}

function cut(spans: Span[], from: number, to: number, marks: [number, number][], markClass: string): Piece[] {
  const pieces: Piece[] = []
  let offset = 0
  for (const span of spans) {
    const start = Math.max(from, offset)
    const stop = Math.min(to, offset + span.text.length)
    let at = start
    while (at < stop) {
      const mark = marks.find(([, end]) => end > at)
      const inside = mark !== undefined && mark[0] <= at
      const until = Math.min(stop, mark === undefined ? stop : inside ? mark[1] : mark[0])
      pieces.push(piece(span, span.text.slice(at - offset, until - offset), inside ? markClass : ''))
      at = until
    }
    offset += span.text.length
  }
  return pieces
}

// Marks of direction and invisible letters: with them a line can look like another one. One letter stands for each,
// so that widths and search hits stay where they are; what is copied is what the script wrote.
const DECEIVING = /[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g

export const honest = (written: string): string => written.replace(DECEIVING, '\ufffd')

function piece(span: Span, written: string, mark: string): Piece {
  const text = honest(written)
  const own = classesOf(span.flags)
  if (mark !== '') return { text, classes: own === '' ? mark : `${own} ${mark}`, color: null, background: null }
  return { text, classes: own, color: span.color, background: span.background }
}
