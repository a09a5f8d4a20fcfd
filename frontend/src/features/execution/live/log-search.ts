// Searching the stored output of a run on the server: as far as answers come, then from the cursor on.
import { onScopeDispose, ref, shallowRef, watch, type WatchSource } from 'vue'
import { api, call } from '@/api/client'
import { type ApiError, asApiError, isAbort } from '@/api/errors'
import type { OutputMatch } from '@/api/plan-types'

export interface SearchQuestion {
  text: string
  regex: boolean
  ignoreCase: boolean
  /** Null stands for all of them. */
  hostId: number | null
}

export interface SearchAnswer {
  matches: OutputMatch[]
  next_cursor: number | null
  searched_lines: number
  unreadable_bytes: number
}

export type AskSearch = (question: SearchQuestion, cursor: number, signal: AbortSignal) => Promise<SearchAnswer>

const PER_ANSWER = 200
/** So many are gathered at once; more only when somebody asks for them. */
export const MOST_AT_ONCE = 1_000

export const askServer = (id: string): AskSearch => (question, cursor, signal) => {
  const query = { q: question.text, regex: question.regex, ignore_case: question.ignoreCase, cursor, limit: PER_ANSWER, host_id: question.hostId ?? undefined }
  return call(api.GET('/api/executor/execution-records/{execution_id}/logs/search/', { signal, params: { path: { execution_id: id }, query } }))
}

/** Everything found so far; a new question forgets what the one before it found. */
export function useLogSearch(question: WatchSource<SearchQuestion>, ask: AskSearch) {
  const matches = shallowRef<readonly OutputMatch[]>([])
  const searched = ref(0)
  const unreadable = ref(0)
  const searching = ref(false)
  /** There is more that was not looked through. */
  const hasMore = ref(false)
  const problem = shallowRef<ApiError | null>(null)
  let cursor: number | null = 0
  let current: AbortController | null = null
  let asked: SearchQuestion | null = null

  function take(answer: SearchAnswer): void {
    matches.value = [...matches.value, ...answer.matches]
    searched.value += answer.searched_lines
    unreadable.value += answer.unreadable_bytes
    cursor = answer.next_cursor
    hasMore.value = cursor !== null
  }

  async function goOn(): Promise<void> {
    if (!asked || cursor === null) return
    current?.abort()
    const mine = new AbortController()
    current = mine
    searching.value = true
    problem.value = null
    const until = matches.value.length + MOST_AT_ONCE
    try {
      do {
        const answer = await ask(asked, cursor, mine.signal)
        if (current !== mine) return
        take(answer)
      } while (cursor !== null && matches.value.length < until)
    } catch (thrown) {
      if (current === mine && !isAbort(thrown)) problem.value = asApiError(thrown)
    } finally {
      if (current === mine) searching.value = false
    }
  }

  function begin(next: SearchQuestion): void {
    current?.abort()
    current = null
    matches.value = []
    searched.value = unreadable.value = 0
    cursor = 0
    hasMore.value = searching.value = false
    problem.value = null
    asked = next.text === '' ? null : next
    void goOn()
  }

  watch(question, begin, { immediate: true })
  onScopeDispose(() => {
    current?.abort()
    current = null
  })
  return { matches, searched, unreadable, searching, hasMore, problem, goOn, again: () => asked && begin(asked) }
}

export interface MarkedPiece {
  text: string
  hit: boolean
}

const BEFORE = 40
const LONGEST = 240

/** The line around its first hit, cut into what was looked for and the rest. Places count letters, not UTF-16 units. */
export function markedPieces(match: Pick<OutputMatch, 'text' | 'highlights' | 'skipped_bytes'>): MarkedPiece[] {
  const letters = [...match.text]
  const first = match.highlights[0]?.[0] ?? 0
  const from = letters.length <= LONGEST ? 0 : Math.max(0, first - BEFORE)
  const to = Math.min(letters.length, from + LONGEST)
  const pieces: MarkedPiece[] = from > 0 || match.skipped_bytes > 0 ? [{ text: '…', hit: false }] : []
  const put = (start: number, end: number, hit: boolean): void => {
    if (end > start) pieces.push({ text: letters.slice(start, end).join(''), hit })
  }
  let at = from
  for (const [start, end] of match.highlights as [number, number][]) {
    if (start >= to) break
    put(at, Math.max(at, start), false)
    put(Math.max(at, start), Math.min(end, to), true)
    at = Math.max(at, Math.min(end, to))
  }
  put(at, to, false)
  if (to < letters.length) pieces.push({ text: '…', hit: false })
  return pieces
}

/** The words that were found in a line, as they stand there; what else shows them can search for them. */
export function foundWords(match: Pick<OutputMatch, 'text' | 'highlights'>): string[] {
  const letters = [...match.text]
  const words = (match.highlights as [number, number][]).map(([start, end]) => letters.slice(start, end).join(''))
  return [...new Set(words.filter((word) => word.trim() !== ''))]
}
