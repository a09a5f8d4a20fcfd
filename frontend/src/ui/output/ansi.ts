// Turns the escape sequences of script output into spans. Only colours and weights (SGR) survive: window titles,
// links, device strings and cursor moves are dropped, so output can never act on the page that shows it.

export interface Sgr {
  readonly fg: string | null
  readonly bg: string | null
  readonly flags: number
}

export interface Span {
  text: string
  flags: number
  color: string | null
  background: string | null
}

export const BOLD = 1
export const DIM = 2
export const ITALIC = 4
export const UNDERLINE = 8
export const INVERSE = 16
export const HIDDEN = 32
export const STRIKE = 64

export const PLAIN: Sgr = Object.freeze({ fg: null, bg: null, flags: 0 })

// A string sequence (OSC, DCS, SOS, PM, APC) needs its terminator; without one only the introducer is dropped,
// because nothing that a script wrote may vanish from the screen for good.
const SEQUENCE = new RegExp(
  [
    '(?:\\x1b\\[|\\x9b)([0-?]*)[ -/]*([@-~])',
    '(?:\\x1b\\]|\\x9d)[^\\x07\\x1b\\x9c]*(?:\\x07|\\x1b\\\\|\\x9c)',
    '(?:\\x1b[PX^_]|[\\x90\\x98\\x9e\\x9f])[^\\x1b\\x9c]*(?:\\x1b\\\\|\\x9c)',
    '\\x1b[ -/]*[0-~]?',
    '[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]',
  ].join('|'),
  'g',
)
const SPECIAL = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/

/** The text as it is seen, without any sequence. */
export function plainText(text: string): string {
  return SPECIAL.test(text) ? text.replace(SEQUENCE, '') : text
}

/** The colours at the end of a line, which the next line starts with. */
export function endState(text: string, start: Sgr): Sgr {
  if (!SPECIAL.test(text)) return start
  let state = start
  for (const match of text.matchAll(SEQUENCE)) if (match[2] === 'm') state = applied(state, match[1] ?? '')
  return state
}

export function spansOf(text: string, start: Sgr): Span[] {
  if (!SPECIAL.test(text)) return text === '' ? [] : [span(text, start)]
  const spans: Span[] = []
  let state = start
  let from = 0
  for (const match of text.matchAll(SEQUENCE)) {
    if (match.index > from) spans.push(span(text.slice(from, match.index), state))
    from = match.index + match[0].length
    if (match[2] === 'm') state = applied(state, match[1] ?? '')
  }
  if (from < text.length) spans.push(span(text.slice(from), state))
  return spans
}

function span(text: string, state: Sgr): Span {
  if ((state.flags & INVERSE) === 0) return { text, flags: state.flags, color: state.fg, background: state.bg }
  const color = state.bg ?? 'var(--output-surface)'
  return { text, flags: state.flags, color, background: state.fg ?? 'var(--output-text)' }
}

const SET_FLAG: Record<number, number> = { 1: BOLD, 2: DIM, 3: ITALIC, 4: UNDERLINE, 7: INVERSE, 8: HIDDEN, 9: STRIKE, 21: UNDERLINE }
const CLEAR_FLAG: Record<number, number> = {
  22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 27: INVERSE, 28: HIDDEN, 29: STRIKE,
}

function applied(state: Sgr, parameters: string): Sgr {
  if (/[^0-9;:]/.test(parameters)) return state
  const fields = parameters.split(';')
  let next = state
  for (let at = 0; at < fields.length; at += 1) {
    const parts = (fields[at] ?? '').split(':')
    const code = Number(parts[0] || 0)
    if (code === 38 || code === 48) {
      const [color, used] = extended(parts, fields.slice(at + 1))
      at += used
      if (color !== null) next = code === 38 ? { ...next, fg: color } : { ...next, bg: color }
    } else {
      next = simple(next, code)
    }
  }
  return next
}

function simple(state: Sgr, code: number): Sgr {
  if (code === 0) return PLAIN
  const set = SET_FLAG[code]
  if (set !== undefined) return { ...state, flags: state.flags | set }
  const clear = CLEAR_FLAG[code]
  if (clear !== undefined) return { ...state, flags: state.flags & ~clear }
  const digit = code % 10
  const decade = code - digit
  if (decade === 30 || decade === 40) return coloured(state, decade === 30 ? 'fg' : 'bg', digit === 9 ? null : digit)
  if ((decade === 90 || decade === 100) && digit < 8) return coloured(state, decade === 90 ? 'fg' : 'bg', digit + 8)
  return state
}

function coloured(state: Sgr, side: 'fg' | 'bg', index: number | null): Sgr {
  return { ...state, [side]: index === null ? null : palette(index) }
}

/** A 256-colour or true-colour value, in `;` or `:` form, and how many further fields it took. */
function extended(parts: string[], following: string[]): [string | null, number] {
  const inside = parts.length > 1
  const values = (inside ? parts.slice(1) : following).map((part) => Number(part || 0))
  if (values[0] === 5) return [indexed(values[1] ?? 0), inside ? 0 : 2]
  if (values[0] === 2) {
    const channels = inside && values.length >= 5 ? values.slice(2, 5) : values.slice(1, 4)
    return [rgb(channels), inside ? 0 : 4]
  }
  return [null, inside ? 0 : 1]
}

const palette = (index: number): string => `var(--ansi-${index})`

function rgb(channels: number[]): string | null {
  if (channels.length !== 3 || channels.some((value) => !(value >= 0 && value <= 255))) return null
  return `rgb(${channels.join(' ')})`
}

function indexed(index: number): string | null {
  if (!(index >= 0 && index <= 255)) return null
  if (index < 16) return palette(index)
  if (index >= 232) return rgb(Array<number>(3).fill(8 + (index - 232) * 10))
  const cube = index - 16
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40)
  return rgb([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)])
}

const CLASSES: readonly [number, string][] = [
  [BOLD, 'sgr-bold'], [DIM, 'sgr-dim'], [ITALIC, 'sgr-italic'], [UNDERLINE, 'sgr-underline'], [HIDDEN, 'sgr-hidden'], [STRIKE, 'sgr-strike'],
]

export function classesOf(flags: number): string {
  if (flags === 0) return ''
  return CLASSES.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name).join(' ')
}
