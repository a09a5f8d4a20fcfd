import { describe, expect, it } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { ApiError } from '@/api/errors'
import type { OutputMatch } from '@/api/plan-types'
import { type AskSearch, foundWords, markedPieces, MOST_AT_ONCE, type SearchQuestion, useLogSearch } from '@/features/execution/live/log-search'
import { anyOf, searchPattern } from '@/ui/output/search-hits'

const question = (text: string, changes: Partial<SearchQuestion> = {}): SearchQuestion => ({ text, regex: false, ignoreCase: true, hostId: null, ...changes })
const match = (number: number, text = 'a line', highlights: [number, number][] = [[0, 1]]): OutputMatch => ({ number, text, highlights, host_id: 1, skipped_bytes: 0 }) as unknown as OutputMatch
const answer = (matches: OutputMatch[], next: number | null) => ({ matches, next_cursor: next, searched_lines: 10, unreadable_bytes: 0 })

/** A server whose answers are given by hand, in any order. */
function byHand() {
  const waiting: { question: SearchQuestion; cursor: number; signal: AbortSignal; give: (what: ReturnType<typeof answer>) => void; fail: (why: unknown) => void }[] = []
  const ask: AskSearch = (asked, cursor, signal) => new Promise((give, fail) => waiting.push({ question: asked, cursor, signal, give, fail }))
  return { waiting, ask }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await nextTick()
}

function searching(first: SearchQuestion, ask: AskSearch) {
  const asked = ref(first)
  const scope = effectScope()
  const search = scope.run(() => useLogSearch(asked, ask)) as ReturnType<typeof useLogSearch>
  return { asked, search, scope }
}

describe('a search in stored output', () => {
  it('goes on from the cursor until all is looked through', async () => {
    const { waiting, ask } = byHand()
    const { search } = searching(question('x'), ask)
    waiting[0]?.give(answer([match(1)], 40))
    await settled()
    expect([waiting[1]?.cursor, search.searching.value]).toEqual([40, true])
    waiting[1]?.give(answer([match(52)], null))
    await settled()

    expect(search.matches.value.map((one) => one.number)).toEqual([1, 52])
    expect([search.searching.value, search.hasMore.value, search.searched.value]).toEqual([false, false, 20])
  })

  it('forgets the question before, also when its answer comes late', async () => {
    const { waiting, ask } = byHand()
    const { asked, search } = searching(question('old'), ask)
    asked.value = question('new')
    await settled()
    expect(waiting[0]?.signal.aborted).toBe(true)
    waiting[1]?.give(answer([match(2)], null))
    waiting[0]?.give(answer([match(1)], null))
    await settled()

    expect(search.matches.value.map((one) => one.number)).toEqual([2])
  })

  it('stops at a thousand and goes on when it is asked to', async () => {
    const { waiting, ask } = byHand()
    const { search } = searching(question('x'), ask)
    waiting[0]?.give(answer(Array.from({ length: MOST_AT_ONCE }, (_, index) => match(index + 1)), 7_000))
    await settled()
    expect([waiting.length, search.hasMore.value]).toEqual([1, true])
    void search.goOn()

    expect(waiting[1]?.cursor).toBe(7_000)
  })

  it('tells what went wrong and keeps what was found', async () => {
    const { waiting, ask } = byHand()
    const { search } = searching(question('x'), ask)
    waiting[0]?.give(answer([match(1)], 40))
    await settled()
    waiting[1]?.fail(new ApiError({ status: 400, code: 'search_pattern_invalid', message: '' }))
    await settled()

    expect([search.problem.value?.code, search.matches.value.length, search.searching.value]).toEqual(['search_pattern_invalid', 1, false])
  })

  it('asks nothing without words, and nothing any more once its page is left', async () => {
    const { waiting, ask } = byHand()
    const { asked, scope } = searching(question(''), ask)
    expect(waiting.length).toBe(0)
    asked.value = question('x')
    await settled()
    scope.stop()

    expect(waiting[0]?.signal.aborted).toBe(true)
  })
})

describe('a line with hits', () => {
  it('is cut by letters, also behind letters of two units', () => {
    expect(markedPieces({ text: '😀 ok 主机', highlights: [[2, 4]], skipped_bytes: 0 })).toEqual([{ text: '😀 ', hit: false }, { text: 'ok', hit: true }, { text: ' 主机', hit: false }])
  })

  it('shows of a long one the part around the first hit', () => {
    const pieces = markedPieces({ text: `${'a'.repeat(500)}HERE${'b'.repeat(500)}`, highlights: [[500, 504]], skipped_bytes: 0 })

    expect(pieces.map((one) => one.hit)).toEqual([false, false, true, false, false])
    expect(pieces[2]?.text).toBe('HERE')
    expect(pieces.map((one) => one.text).join('').length).toBeLessThan(260)
  })

  it('tells its words, so that another view can mark them', () => {
    const words = foundWords({ text: 'ab 12 ab 3', highlights: [[3, 5], [9, 10], [3, 5]] })

    expect(words).toEqual(['12', '3'])
    expect('1 (12) 3'.match(anyOf(words) as RegExp)).toEqual(['12', '3'])
    expect(anyOf([])).toBeNull()
  })

  it('never takes what was typed for a pattern', () => {
    expect('a.c abc'.match(searchPattern('a.c') as RegExp)).toEqual(['a.c'])
    expect('f(x'.match(anyOf(['f(x']) as RegExp)).toEqual(['f(x'])
  })
})
