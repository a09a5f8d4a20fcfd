// How wide text is on a monospaced grid, and where a line breaks; the view breaks lines itself, so heights are exact.

const TAB = 8
const ONLY_ASCII = /^[\x20-\x7e]*$/
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u

export function cellsOf(character: string): number {
  if (WIDE.test(character)) return 2
  return ZERO.test(character) ? 0 : 1
}

/** Tabs become spaces up to the next stop, so that one character is one known width. */
export function expandTabs(text: string, column = 0): string {
  if (!text.includes('\t')) return text
  let out = ''
  let at = column
  for (const character of text) {
    const piece = character === '\t' ? ' '.repeat(TAB - (at % TAB)) : character
    out += piece
    at += character === '\t' ? piece.length : cellsOf(character)
  }
  return out
}

/** Offsets where a new row begins (never the first); empty when the line fits. Text has no tabs. */
export function breaksOf(text: string, columns: number): number[] {
  if (columns <= 0 || (text.length <= columns && ONLY_ASCII.test(text))) return []
  const breaks: number[] = []
  if (ONLY_ASCII.test(text)) {
    for (let at = columns; at < text.length; at += columns) breaks.push(at)
    return breaks
  }
  let used = 0
  let offset = 0
  for (const character of text) {
    const cells = cellsOf(character)
    if (used + cells > columns && used > 0) {
      breaks.push(offset)
      used = 0
    }
    used += cells
    offset += character.length
  }
  return breaks
}
