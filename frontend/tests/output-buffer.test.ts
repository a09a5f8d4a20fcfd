import { describe, expect, it } from 'vitest'
import { LONGEST_LINE, limitsFor, OutputBuffer } from '@/ui/output/output-buffer'
import type { LineLog } from '@/ui/output/line-log'

const texts = (log: LineLog): string[] => [...log.lines()].map((line) => line.text)
const small = (lines: number) => ({ perSource: { lines, characters: 1e6 }, merged: { lines, characters: 1e6 } })

describe('the buffer of output', () => {
  it('joins what arrives in pieces and cuts at line feeds', () => {
    const buffer = new OutputBuffer(limitsFor(1))

    buffer.append(1, 'stdout', 'one\ntw')
    buffer.append(1, 'stdout', 'o\n\nthree')

    expect(texts(buffer.of(1))).toEqual(['one', 'two', '', 'three'])
    expect(buffer.of(1).last()?.closed).toBe(false)
  })

  it('keeps the streams of one host apart while they interleave', () => {
    const buffer = new OutputBuffer(limitsFor(1))

    buffer.append(1, 'stdout', 'half')
    buffer.append(1, 'stderr', 'oops\n')
    buffer.append(1, 'stdout', ' whole\n')

    expect(texts(buffer.of(1))).toEqual(['half whole', 'oops'])
  })

  it('merges hosts in order of arrival', () => {
    const buffer = new OutputBuffer(limitsFor(2))

    buffer.append(1, 'stdout', 'a\n')
    buffer.append(2, 'stdout', 'b\n')
    buffer.append(1, 'stdout', 'c\n')

    expect(texts(buffer.merged)).toEqual(['a', 'b', 'c'])
    expect(texts(buffer.of(1))).toEqual(['a', 'c'])
  })

  it('handles line ends of Windows and progress bars', () => {
    const buffer = new OutputBuffer(limitsFor(1))

    buffer.append(1, 'stdout', 'dos\r')
    buffer.append(1, 'stdout', '\n10%\r20%\r')
    buffer.append(1, 'stdout', '100%\n')

    expect(texts(buffer.of(1))).toEqual(['dos', '100%'])
  })

  it('drops the oldest lines at the bound and keeps their numbers', () => {
    const buffer = new OutputBuffer(small(3))

    for (let number = 0; number < 10_000; number += 1) buffer.append(1, 'stdout', `${number}\n`)

    const log = buffer.of(1)
    expect(texts(log)).toEqual(['9997', '9998', '9999'])
    expect([log.first, log.end, log.at(9_998)?.text, log.at(5)]).toEqual([9_997, 10_000, '9998', undefined])
  })

  it('is bounded in characters too', () => {
    const buffer = new OutputBuffer({ perSource: { lines: 1e6, characters: 1_000 }, merged: { lines: 1e6, characters: 1_000 } })

    for (let number = 0; number < 500; number += 1) buffer.append(1, 'stdout', `${'x'.repeat(99)}\n`)

    expect(buffer.of(1).size).toBe(10)
  })

  it('cuts a line that never ends', () => {
    const buffer = new OutputBuffer(limitsFor(1))

    buffer.append(1, 'stdout', 'x'.repeat(LONGEST_LINE * 2 + 1))

    expect(texts(buffer.of(1)).map((text) => text.length)).toEqual([LONGEST_LINE, LONGEST_LINE, 1])
  })

  it('refuses a chunk that was sent again', () => {
    const buffer = new OutputBuffer(limitsFor(1))

    expect([0, 10, 10, 0, 20].map((offset) => buffer.isNew('task/1/stdout', offset))).toEqual([true, true, false, false, true])
    expect(buffer.isNew('task/1/stderr', 0)).toBe(true)
  })

  it('marks a gap as a line of its own', () => {
    const buffer = new OutputBuffer(limitsFor(1))

    buffer.append(1, 'stdout', 'cut off')
    buffer.gap(1, 'stdout', '40 bytes are missing')
    buffer.append(1, 'stdout', 'goes on\n')

    expect([...buffer.of(1).lines()].map((line) => [line.kind, line.text])).toEqual([
      ['stdout', 'cut off'], ['gap', '40 bytes are missing'], ['stdout', 'goes on'],
    ])
  })

  it('previews the last line with words in it', () => {
    const buffer = new OutputBuffer(limitsFor(1))

    buffer.append(7, 'stdout', '\x1b[32mdone\x1b[0m\n\n')

    expect(buffer.preview(7)).toBe('done')
    expect(buffer.preview(8)).toBe('')
  })
})
