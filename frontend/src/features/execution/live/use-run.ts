// Opens one execution: reads it, then follows its stream to the end. Changes are shown once per frame.
import { onBeforeUnmount, ref, shallowRef, triggerRef } from 'vue'
import { api, call } from '@/api/client'
import { type ApiError, asApiError } from '@/api/errors'
import { combinedStreamUrl } from '@/api/realtime'
import { EventStream, type StreamState } from '@/api/sse'
import type { ExecutionDetail } from '@/api/types'
import { type GapWords, RunView } from './run-view'

const LARGEST_PAGE = 200

function detailOf(id: string): Promise<ExecutionDetail> {
  return call(api.GET('/api/executor/execution-records/{execution_id}/', { params: { path: { execution_id: id } } }))
}

/** Tasks beyond the ones that the detail brings along. */
async function readFurther(view: RunView, id: string, isGone: () => boolean): Promise<void> {
  const total = view.execution.tasks_total
  for (let page = Math.floor(view.board.size / LARGEST_PAGE) + 1; view.board.size < total && !isGone(); page += 1) {
    const params = { path: { execution_id: id }, query: { page, page_size: LARGEST_PAGE } }
    const answer = await call(api.GET('/api/executor/execution-records/{execution_id}/tasks/', { params }))
    view.board.put(answer.results)
    if (answer.results.length < LARGEST_PAGE) return
  }
}

export function useRun(id: string, gapWords: GapWords) {
  const view = shallowRef<RunView | null>(null)
  const frame = ref(0)
  const problem = shallowRef<ApiError | null>(null)
  const stream = ref<StreamState>('connecting')
  let gone = false
  let drawing = 0
  let follower: EventStream | null = null

  function changed(): void {
    if (drawing !== 0 || gone) return
    drawing = requestAnimationFrame(() => {
      drawing = 0
      frame.value += 1
      triggerRef(view)
    })
  }

  async function open(): Promise<void> {
    problem.value = null
    try {
      const detail = await detailOf(id)
      if (gone) return
      view.value = new RunView(detail, gapWords, changed)
      follow(view.value)
      await readFurther(view.value, id, () => gone)
      changed()
    } catch (thrown) {
      problem.value = asApiError(thrown)
    }
  }

  function follow(run: RunView): void {
    follower = new EventStream(combinedStreamUrl(id), {
      onEvents: (events) => run.take(events),
      onState: (state, error) => {
        if (gone) return
        stream.value = state
        if (state === 'failed') problem.value = error
        if (state === 'ended') void refresh()
      },
    })
    void follower.run()
  }

  /** Reads the row again; a failure here loses nothing, for the stream has told the important part. */
  async function refresh(): Promise<void> {
    const detail = await detailOf(id).catch(() => null)
    if (detail && !gone) view.value?.refresh(detail)
  }

  async function cancel(): Promise<void> {
    const params = { path: { execution_id: id } }
    await call(api.POST('/api/executor/execution-records/{execution_id}/cancel/', { params, body: {} }))
    await refresh()
  }

  onBeforeUnmount(() => {
    gone = true
    cancelAnimationFrame(drawing)
    follower?.stop()
  })
  void open()
  return { view, frame, problem, stream, open, cancel }
}
