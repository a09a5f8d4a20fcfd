import { describe, expect, it, vi } from 'vitest'
import type { ApiError } from '@/api/errors'
import { EventStream, type StreamState } from '@/api/sse'
import { type ServerEvent, SseParser } from '@/api/sse-parser'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('the parser', () => {
  it('reads events whatever the pieces are', () => {
    const text = 'retry: 2000\n\n: ping\n\nid: 1-5\nevent: log\ndata: {"a":"中文"}\n\nid: 1-9\r\nevent: end\r\ndata: x\r\ndata: y\r\n\r\n'
    const whole = bytes(text)

    for (const size of [1, 2, 3, 7, whole.length]) {
      const parser = new SseParser()
      const events: ServerEvent[] = []
      for (let at = 0; at < whole.length; at += size) events.push(...parser.feed(whole.slice(at, at + size)))

      expect(events).toEqual([
        { event: 'log', data: '{"a":"中文"}', id: '1-5' },
        { event: 'end', data: 'x\ny', id: '1-9' },
      ])
      expect(parser.retryMilliseconds).toBe(2_000)
    }
  })

  it('keeps the last id for events without one, ignores an id with NUL and unknown fields', () => {
    const parser = new SseParser()

    const events = parser.feedText('id: 3\ndata: a\n\nid: 4\0\nfoo: bar\ndata\n\n')

    expect(events.map((event) => [event.id, event.data])).toEqual([['3', 'a'], ['3', '']])
  })

  it('does not give out an event that was cut off', () => {
    const parser = new SseParser()

    expect(parser.feedText('id: 9\ndata: half')).toEqual([])
  })
})

interface Step {
  status?: number
  headers?: Record<string, string>
  chunks?: string[]
  /** The connection breaks after the chunks instead of ending. */
  breaks?: boolean
}

function serverOf(steps: Step[]) {
  const asked: (string | null)[] = []
  const fake = (async (_url: string, init: RequestInit) => {
    asked.push(new Headers(init.headers).get('Last-Event-ID'))
    const step = steps.shift()
    if (!step) throw new TypeError('no more answers')
    const chunks = [...(step.chunks ?? [])]
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = chunks.shift()
        if (chunk !== undefined) controller.enqueue(bytes(chunk))
        else if (step.breaks) controller.error(new TypeError('network error'))
        else controller.close()
      },
    })
    return new Response(body, { status: step.status ?? 200, headers: step.headers })
  }) as unknown as typeof fetch
  return { fake, asked }
}

async function follow(steps: Step[]) {
  const { fake, asked } = serverOf(steps)
  const events: string[] = []
  const states: [StreamState, ApiError | null][] = []
  const pauses: number[] = []
  const stream = new EventStream('/stream', {
    onEvents: (batch) => events.push(...batch.map((event) => event.data)),
    onState: (state, error) => states.push([state, error]),
  }, { fetch: fake, pause: async (milliseconds) => void pauses.push(milliseconds) })
  await stream.run()
  return { events, states, asked, pauses }
}

describe('following a stream', () => {
  it('resumes behind the last whole event until the end', async () => {
    const { events, asked, states } = await follow([
      { chunks: ['id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: ha'], breaks: true },
      { chunks: ['id: 3\ndata: c\n\n'] },
      { chunks: ['id: 4\nevent: end\ndata: done\n\n'] },
    ])

    expect(events).toEqual(['a', 'b', 'c', 'done'])
    expect(asked).toEqual([null, '2', '3'])
    expect(states.at(-1)?.[0]).toBe('ended')
  })

  it('waits as long as the server asks when it is overloaded', async () => {
    const { pauses, states } = await follow([
      { status: 503, headers: { 'Retry-After': '7' }, chunks: ['{}'] },
      { chunks: ['event: end\ndata: x\n\n'] },
    ])

    expect(pauses).toEqual([7_000])
    expect(states.map(([state]) => state)).toEqual(['connecting', 'waiting', 'connecting', 'live', 'ended'])
  })

  it('backs off while nothing answers, and starts anew after a success', async () => {
    const { pauses } = await follow([
      { breaks: true }, { breaks: true }, { breaks: true },
      { chunks: ['id: 1\ndata: a\n\n'] },
      { chunks: ['event: end\ndata: x\n\n'] },
    ])

    expect(pauses).toEqual([1_000, 2_000, 4_000, 1_000])
  })

  it('gives up on a refusal and says why', async () => {
    const body = JSON.stringify({ code: 404, message: 'Gone.', success: false, content: { error: 'execution_not_found', request_id: 'r1' } })

    const { states } = await follow([{ status: 404, chunks: [body] }])

    expect(states.at(-1)?.[0]).toBe('failed')
    expect(states.at(-1)?.[1]).toMatchObject({ code: 'execution_not_found', requestId: 'r1' })
  })

  it('stops at once when asked to', async () => {
    const seen = vi.fn()
    const stream = new EventStream('/stream', { onEvents: seen, onState: () => undefined }, { fetch: serverOf([]).fake })

    const running = stream.run()
    stream.stop()
    await running

    expect(seen).not.toHaveBeenCalled()
  })
})
