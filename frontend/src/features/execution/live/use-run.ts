// Opens one execution: reads it, then follows its stream to the end. Changes are shown once per frame.
import { onBeforeUnmount, ref, shallowRef, triggerRef } from 'vue'
import { api, call } from '@/api/client'
import { type ApiError, asApiError } from '@/api/errors'
import { combinedStreamUrl } from '@/api/realtime'
import { EventStream, type StreamState } from '@/api/sse'
import { type ExecutionDetail, isExecutionOpen } from '@/api/types'
import { type Orders, ordersFor } from './control'
import { type GapWords, RunView } from './run-view'

const LARGEST_PAGE = 200
/** Between two looks at steps, which events do not tell about. */
const STEPS_MILLISECONDS = 1_000

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

/** Calls once within each span, however often it is asked. */
function atMostEach(milliseconds: number, action: () => void): { ask: () => void; stop: () => void } {
  let waiting: ReturnType<typeof setTimeout> | null = null
  const run = (): void => {
    waiting = null
    action()
  }
  return {
    ask: () => (waiting ??= setTimeout(run, milliseconds)),
    stop: () => clearTimeout(waiting ?? undefined),
  }
}

/** Calls once within each frame of the screen, however often it is asked; never after it was stopped. */
function oncePerFrame(action: () => void): { ask: () => void; stop: () => void } {
  let waiting = 0
  let stopped = false
  const run = (): void => {
    waiting = 0
    action()
  }
  const ask = (): void => {
    if (waiting === 0 && !stopped) waiting = requestAnimationFrame(run)
  }
  const stop = (): void => {
    stopped = true
    cancelAnimationFrame(waiting)
  }
  return { ask, stop }
}

/** Gives an order, then shows what became of it; a run that had ended may go on, so it is followed again. */
function ordering(id: string, refresh: () => Promise<void>, followAgain: () => void) {
  return async function give<T>(order: (orders: Orders) => Promise<T>): Promise<T> {
    const answer = await order(ordersFor(id))
    await refresh()
    followAgain()
    return answer
  }
}

export function useRun(id: string, gapWords: GapWords) {
  const view = shallowRef<RunView | null>(null)
  const frame = ref(0)
  const problem = shallowRef<ApiError | null>(null)
  const stream = ref<StreamState>('connecting')
  let gone = false
  let follower: EventStream | null = null
  const soon = atMostEach(STEPS_MILLISECONDS, () => void refresh())
  const drawing = oncePerFrame(() => {
    frame.value += 1
    triggerRef(view)
  })

  async function open(): Promise<void> {
    problem.value = null
    try {
      const detail = await detailOf(id)
      if (gone) return
      view.value = new RunView(detail, gapWords, drawing.ask)
      follow(view.value)
      await readFurther(view.value, id, () => gone)
      drawing.ask()
    } catch (thrown) {
      problem.value = asApiError(thrown)
    }
  }

  function follow(run: RunView): void {
    follower = new EventStream(combinedStreamUrl(id), {
      onEvents: (events) => {
        run.take(events)
        if ((run.hasSteps || run.execution.approvals.length > 0) && events.some((one) => one.event === 'status')) soon.ask()
      },
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

  const give = ordering(id, refresh, () => {
    if (stream.value !== 'ended' || !view.value || !isExecutionOpen(view.value.execution.status)) return
    view.value.complete = false
    follow(view.value)
  })

  onBeforeUnmount(() => {
    gone = true
    drawing.stop()
    soon.stop()
    follower?.stop()
  })
  void open()
  return { view, frame, problem, stream, open, give }
}
