import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/errors'
import { useStartRun } from '@/api/start-run'

interface Sent {
  body: { script: string; confirmed_host_count?: number }
  key: string
}

/** A page about so many hosts, and a server that answers as it is told to, in turn. */
function page(count: number, answers: (string | ApiError)[]) {
  const sent: Sent[] = []
  const opened: string[] = []
  const draft = { script: 'uptime', hosts: count }
  const start = useStartRun({
    ready: () => draft.script !== '',
    hosts: () => draft.hosts,
    body: () => ({ script: draft.script }),
    send: async (body, header) => {
      sent.push({ body, key: header['Idempotency-Key'] })
      const answer = answers.shift() ?? 'e-1'
      if (answer instanceof ApiError) throw answer
      return { execution_id: answer }
    },
    started: async (id) => opened.push(id),
  })
  return { draft, sent, opened, ...start }
}

const away = () => new ApiError({ status: 503, code: 'unavailable', message: 'Away.' })
const refused = () => new ApiError({ status: 422, code: 'invalid', message: 'No.' })
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve()
}

describe('starting what a page describes', () => {
  it('sends it at once for few hosts and goes to the run', async () => {
    const here = page(20, ['e-7'])
    here.run()
    here.run()
    await settled()

    expect(here.opened).toEqual(['e-7'])
    expect(here.sent.map((one) => one.body)).toEqual([{ script: 'uptime' }])
  })

  it('does nothing while something is missing', async () => {
    const here = page(1, [])
    here.draft.script = ''
    here.run()
    await settled()

    expect(here.sent).toEqual([])
  })

  it('asks for many hosts first, once also when the server was away', async () => {
    const here = page(21, [away()])
    here.run()
    await settled()
    expect([here.asking.value, here.sent.length]).toEqual([true, 0])

    await here.submit()
    expect([here.asking.value, here.problem.value?.isTemporary]).toEqual([false, true])
    await here.submit()

    expect(here.sent.map((one) => one.body.confirmed_host_count)).toEqual([21, 21])
    expect(new Set(here.sent.map((one) => one.key)).size).toBe(1)
    expect([here.opened, here.problem.value]).toEqual([['e-1'], null])
  })

  it('takes an earlier yes for nothing else', async () => {
    const here = page(21, [refused()])
    here.run()
    await here.submit()
    here.draft.hosts = 3
    here.run()
    await settled()

    expect(here.sent.map((one) => one.body.confirmed_host_count)).toEqual([21, undefined])
    expect(new Set(here.sent.map((one) => one.key)).size).toBe(2)
  })
})
