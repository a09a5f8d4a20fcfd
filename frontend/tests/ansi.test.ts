import { describe, expect, it } from 'vitest'
import { BOLD, endState, PLAIN, plainText, spansOf } from '@/ui/output/ansi'

const ESC = '\x1b'

describe('colours of output', () => {
  it('leaves plain text as one span', () => {
    expect(spansOf('hello', PLAIN)).toEqual([{ text: 'hello', flags: 0, color: null, background: null }])
  })

  it('turns basic, bright and bold codes into spans', () => {
    const spans = spansOf(`a${ESC}[1;31mb${ESC}[0mc${ESC}[92md`, PLAIN)

    expect(spans.map((span) => [span.text, span.flags, span.color])).toEqual([
      ['a', 0, null],
      ['b', BOLD, 'var(--ansi-1)'],
      ['c', 0, null],
      ['d', 0, 'var(--ansi-10)'],
    ])
  })

  it('reads 256 colours and true colours in both spellings', () => {
    expect(spansOf(`${ESC}[38;5;196mx`, PLAIN)[0]?.color).toBe('rgb(255 0 0)')
    expect(spansOf(`${ESC}[38;5;244mx`, PLAIN)[0]?.color).toBe('rgb(128 128 128)')
    expect(spansOf(`${ESC}[38;2;1;2;3mx`, PLAIN)[0]?.color).toBe('rgb(1 2 3)')
    expect(spansOf(`${ESC}[48:2::1:2:3mx`, PLAIN)[0]?.background).toBe('rgb(1 2 3)')
  })

  it('takes the parameters behind a 256 colour for what they are', () => {
    const [span] = spansOf(`${ESC}[38;5;9;1mx`, PLAIN)

    expect(span).toMatchObject({ color: 'var(--ansi-9)', flags: BOLD })
  })

  it('refuses colours that do not exist', () => {
    expect(spansOf(`${ESC}[38;2;999;0;0mx`, PLAIN)[0]?.color).toBeNull()
    expect(spansOf(`${ESC}[38;5;999mx`, PLAIN)[0]?.color).toBeNull()
  })

  it('swaps colours for inverse text', () => {
    expect(spansOf(`${ESC}[7;31mx`, PLAIN)[0]).toMatchObject({ color: 'var(--output-surface)', background: 'var(--ansi-1)' })
  })

  it('carries the state over to the next line', () => {
    const state = endState(`${ESC}[33mwarn`, PLAIN)

    expect(spansOf('still yellow', state)[0]?.color).toBe('var(--ansi-3)')
  })
})

describe('sequences that could act', () => {
  it.each([
    ['window title', `${ESC}]0;owned\x07text`],
    ['hyperlink', `${ESC}]8;;http://evil.example${ESC}\\text${ESC}]8;;${ESC}\\`],
    ['clipboard', `${ESC}]52;c;ZWNobw==\x07text`],
    ['device control string', `${ESC}P1;1|abc${ESC}\\text`],
    ['cursor move and clear', `${ESC}[2J${ESC}[10;5Htext${ESC}[?25l`],
    ['eight-bit control', '\x9b31mtext'],
    ['bell and backspace', 'te\x07x\x08t'],
  ])('%s is dropped', (_name, text) => {
    expect(plainText(text)).toBe('text')
  })

  it('keeps the text of a string sequence that never ends', () => {
    expect(plainText(`${ESC}]0;everything after`)).toBe('0;everything after')
  })

  it('stays linear on hostile input: anything else would not end within the limit of a test', () => {
    expect(plainText(`${ESC}]`.repeat(500_000))).toBe('')
  })
})
