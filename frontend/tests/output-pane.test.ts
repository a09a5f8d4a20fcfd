import { createPinia } from 'pinia'
import { afterEach, describe, expect, it } from 'vitest'
import { createApp, h, nextTick, ref } from 'vue'
import { createI18n } from 'vue-i18n'
import type { ServerEvent } from '@/api/sse-parser'
import type { ExecutionDetail, TaskRow } from '@/api/types'
import { messages as en } from '@/app/messages-en'
import OutputPane from '@/features/execution/live/OutputPane.vue'
import { RunView } from '@/features/execution/live/run-view'
import type { UrlState } from '@/ui/url-state'

const TASK = { id: 't1', host_id: 1, host_name: 'web-1', ip_address: '10.0.0.1', status: 'success', attempt: 1, exit_code: 0, signal: null, started_at: null, finished_at: null, duration_ms: null, stdout_bytes: 0, stderr_bytes: 0 } as unknown as TaskRow
const DETAIL = { id: 'e1', status: 'success', version: 1, counts: {}, task_total: 1, tasks_total: 1, steps: [{ id: 's1', kind: 'script', tasks: [TASK] }] } as unknown as ExecutionDetail

const event = (name: string, data: unknown): ServerEvent => ({ event: name, data: JSON.stringify(data), id: '1-1' })
const log = (offset: number, text: string): ServerEvent => event('log', { host_id: 1, task_id: 't1', attempt: 1, stream: 'stdout', seq: 0, offset, text })

/** An address that nothing has been written into. */
const url: UrlState = { set: () => undefined, text: () => ref('') as never, choice: () => ref(null) as never, number: (_name, fallback) => ref(fallback) as never }

/** The pane of a host, or of all merged, as a page has it that draws once after each arrival. */
function pane(task: TaskRow | null, detail = DETAIL) {
  const run = new RunView(detail, (bytes, reason) => `${bytes} ${reason}`, () => undefined)
  const frame = ref(0)
  const app = createApp(() => h(OutputPane, { run, frame: frame.value, task, step: null, stream: 'live', url, names: new Map([[1, 'web-1']]) }))
  const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: {} } })
  i18n.global.setLocaleMessage('en', en)
  app.use(i18n).use(createPinia()).mount(document.body.appendChild(document.createElement('div')))
  const arrive = async (...events: ServerEvent[]) => {
    run.take(events)
    frame.value += 1
    await nextTick()
    await nextTick()
    return [...document.querySelectorAll('.row .text')].map((line) => line.textContent)
  }
  return { app, arrive }
}

afterEach(() => document.body.replaceChildren())

describe('the output of a run', () => {
  it.each([['of a host', TASK], ['of all hosts merged', null]] as const)('%s is shown, and anew when its stream begins again', async (_what, task) => {
    const { app, arrive } = pane(task)

    expect(await arrive(log(0, 'one\n'))).toEqual(['one'])
    expect(await arrive(event('reset', { reason: 'position_unknown' }))).toEqual([])
    expect(await arrive(log(0, 'one\n'), log(4, 'two\n'), event('end', { status: 'success' }))).toEqual(['one', 'two'])

    app.unmount()
  })

  it('is awaited without saying that there is none, until the stream of a run that is over has ended', async () => {
    const words = () => document.querySelector('.nothing')?.textContent
    const { app, arrive } = pane(null, { ...DETAIL, status: 'running' })
    expect(words()).toBe('No output yet.')

    await arrive(event('status', { execution: { id: 'e1', status: 'success', version: 2 }, tasks: [] }))
    expect(words()).toBe('Reading the output…')

    await arrive(event('end', { status: 'success' }))
    expect(words()).toBe('There was no output.')
    app.unmount()
  })
})
