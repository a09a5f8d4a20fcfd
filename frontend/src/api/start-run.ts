// Starting what a page describes: asks first when it is about many hosts, and never starts twice what was meant once.
import { type Ref, ref, shallowRef } from 'vue'
import { type ApiError, asApiError } from './errors'
import { SubmitKey } from './submit-key'

const ASK_ABOVE = 20

export interface StartHeader {
  'Idempotency-Key': string
}

interface Wish<B extends object> {
  ready: () => boolean
  hosts: () => number
  body: () => B
  send: (body: B & { confirmed_host_count?: number }, header: StartHeader) => Promise<{ execution_id: string }>
  /** It was accepted: where to go now. */
  started: (id: string) => Promise<unknown>
}

export interface StartRun {
  busy: Ref<boolean>
  /** Open while the person is asked whether it shall be so many hosts. */
  asking: Ref<boolean>
  problem: Ref<ApiError | null>
  /** What the button does: asks where that is needed. */
  run: () => void
  /** What the answer does, and a try again after a trouble that may pass. */
  submit: () => Promise<void>
}

export function useStartRun<B extends object>(wish: Wish<B>): StartRun {
  const submitKey = new SubmitKey()
  const busy = ref(false)
  const asking = ref(false)
  const problem = shallowRef<ApiError | null>(null)

  /** For how many hosts the person said yes; a try again needs no second yes. */
  let confirmed: number | null = null

  function run(): void {
    if (!wish.ready() || busy.value) return
    confirmed = null
    if (wish.hosts() > ASK_ABOVE) asking.value = true
    else void submit()
  }

  async function submit(): Promise<void> {
    if (busy.value) return
    busy.value = true
    problem.value = null
    if (asking.value) confirmed = wish.hosts()
    const body = { ...wish.body(), ...(confirmed === null ? {} : { confirmed_host_count: confirmed }) }
    try {
      const accepted = await wish.send(body, { 'Idempotency-Key': submitKey.for(body) })
      submitKey.settle()
      await wish.started(accepted.execution_id)
    } catch (thrown) {
      const error = asApiError(thrown)
      if (!error.isTemporary) submitKey.settle()
      problem.value = error
    } finally {
      busy.value = false
      asking.value = false
    }
  }

  return { busy, asking, problem, run, submit }
}
