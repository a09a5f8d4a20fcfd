import { describe, expect, it } from 'vitest'
import { PLAIN } from '@/ui/output/ansi'
import { breaksOf, expandTabs } from '@/ui/output/cells'
import { copyText, piecesOf } from '@/ui/output/display'
import { OutputLine } from '@/ui/output/line-log'
import { OutputBuffer } from '@/ui/output/output-buffer'
import { RowIndex, type RowPlace } from '@/ui/output/row-index'
import { SearchHits, searchPattern } from '@/ui/output/search-hits'

const bound = (lines: number) => ({ perSource: { lines, characters: 1e7 }, merged: { lines, characters: 1e7 } })
const everything = () => true
const from = (index: RowIndex, row: number): RowPlace[] => [...index.following(index.locate(row) as RowPlace)]

describe('breaking lines', () => {
  it('breaks plain text at the column', () => {
    expect(breaksOf('abcdefgh', 3)).toEqual([3, 6])
    expect(breaksOf('abc', 3)).toEqual([])
  })

  it('gives Chinese characters two cells and never cuts one in half', () => {
    expect(breaksOf('中文输出', 5)).toEqual([2])
    expect(breaksOf('a中b文', 3)).toEqual([2])
  })

  it('keeps a pair of surrogates together', () => {
    expect(breaksOf('😀😀', 2)).toEqual([2])
  })

  it('turns tabs into spaces up to the next stop', () => {
    expect(expandTabs('a\tb')).toBe('a       b')
    expect(expandTabs('中\tb')).toBe('中      b')
  })
})

describe('rows of a log', () => {
  it('counts wrapped rows and finds them again', () => {
    const buffer = new OutputBuffer(bound(100))
    buffer.append(1, 'stdout', 'short\nthis one is long\nend\n')
    const index = new RowIndex(buffer.of(1), { columns: 6, keeps: everything })

    index.sync()

    expect(index.total).toBe(5)
    expect(from(index, 0)).toEqual([
      { line: 0, row: 0 }, { line: 1, row: 0 }, { line: 1, row: 1 }, { line: 1, row: 2 }, { line: 2, row: 0 },
    ])
    expect(index.locate(3)).toEqual({ line: 1, row: 2 })
    expect(index.rowOf(2)).toBe(4)
  })

  it('measures a line again while it grows', () => {
    const buffer = new OutputBuffer(bound(100))
    const index = new RowIndex(buffer.of(1), { columns: 4, keeps: everything })
    buffer.append(1, 'stdout', 'abc')
    index.sync()
    buffer.append(1, 'stdout', 'defgh\n')

    index.sync()

    expect(index.total).toBe(2)
  })

  it('shows only what the filter keeps', () => {
    const buffer = new OutputBuffer(bound(100))
    buffer.append(1, 'stdout', 'a\nb\n')
    buffer.append(1, 'stderr', 'x\n')
    buffer.append(1, 'stdout', 'c\n')
    const index = new RowIndex(buffer.of(1), { columns: 0, keeps: (line) => line.kind === 'stderr' })

    index.sync()

    expect([index.total, index.locate(0)]).toEqual([1, { line: 2, row: 0 }])
  })

  it('tells how many rows left at the top', () => {
    const buffer = new OutputBuffer(bound(1_000))
    const index = new RowIndex(buffer.of(1), { columns: 0, keeps: everything })
    for (let number = 0; number < 1_000; number += 1) buffer.append(1, 'stdout', `${number}\n`)
    index.sync()
    for (let number = 0; number < 700; number += 1) buffer.append(1, 'stdout', `${number}\n`)

    index.sync()

    expect([index.total, index.dropped, index.locate(0)?.line]).toEqual([1_000, 700, 700])
  })

  it('survives that everything it knew is gone', () => {
    const buffer = new OutputBuffer(bound(10))
    const index = new RowIndex(buffer.of(1), { columns: 10, keeps: everything })
    buffer.append(1, 'stdout', 'open')
    index.sync()
    for (let number = 0; number < 5_000; number += 1) buffer.append(1, 'stdout', `${number}\n`)

    index.sync()

    expect([index.total, index.locate(0)?.line]).toEqual([10, 4_990])
  })
})

describe('letters that deceive', () => {
  it('shows marks of direction and invisible letters, and copies them as they were', () => {
    const written = 'rm \u202etxt.exe\u202c a\u200bb \u2066x\u2069 \ufeff\u00ad'
    const line = new OutputLine(written, 1, 'stdout', PLAIN)

    const shown = piecesOf(line, 0, { columns: 100, pattern: null, current: false }).map((piece) => piece.text).join('')

    expect(shown).toBe('rm \ufffdtxt.exe\ufffd a\ufffdb \ufffdx\ufffd \ufffd\ufffd')
    expect(copyText(line)).toBe(written)
  })
})

describe('search', () => {
  it('finds lines without regard to case and takes signs literally', () => {
    const buffer = new OutputBuffer(bound(100))
    buffer.append(1, 'stdout', 'Error (1)\nok\nERROR (1)\nerror 1\n')
    const hits = new SearchHits(buffer.of(1), searchPattern('error (1)') as RegExp, everything)

    hits.sync()

    expect(hits.lines).toEqual([0, 2])
  })

  it('looks at a line when it is complete', () => {
    const buffer = new OutputBuffer(bound(100))
    const hits = new SearchHits(buffer.of(1), searchPattern('needle') as RegExp, everything)
    buffer.append(1, 'stdout', 'nee')
    hits.sync()
    buffer.append(1, 'stdout', 'dle\n')

    hits.sync()

    expect(hits.lines).toEqual([0])
  })

  it('marks hits inside coloured and wrapped text', () => {
    const line = new OutputLine('ab\x1b[31mcd\x1b[0mef', 1, 'stdout', PLAIN)

    const first = piecesOf(line, 0, { columns: 4, pattern: searchPattern('bcde'), current: false })
    const second = piecesOf(line, 1, { columns: 4, pattern: searchPattern('bcde'), current: false })

    expect(first.map((piece) => [piece.text, piece.classes])).toEqual([['a', ''], ['b', 'hit'], ['cd', 'hit']])
    expect(second.map((piece) => [piece.text, piece.classes])).toEqual([['e', 'hit'], ['f', '']])
  })
})
