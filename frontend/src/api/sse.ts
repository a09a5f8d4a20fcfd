// Follows one server-sent event stream over fetch, resuming exactly where it broke off until the end event.
import { commonHeaders, sessionEnded } from './client'
import { type ApiError, errorFrom, isAbort, networkError } from './errors'
import { type ServerEvent, SseParser } from './sse-parser'

export type StreamState = 'connecting' | 'live' | 'waiting' | 'ended' | 'failed'

export interface StreamHandlers {
  /** All events of one network read at once; ids are already noted when this runs. */
  onEvents: (events: ServerEvent[]) => void
  onState: (state: StreamState, error: ApiError | null) => void
}

export interface StreamOptions {
  fetch?: typeof fetch
  /** Waits before reconnecting; injected by tests. Rejects when the signal aborts. */
  pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>
  lastId?: string
}

const FIRST_RETRY = 1_000
const LONGEST_RETRY = 15_000
/** The server pings every 15 s; three missed ones mean the connection is dead without saying so. */
const SILENCE = 45_000

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(new DOMException('Stopped', 'AbortError'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** An answer that no reconnect can change: the caller may not see it, or it is not there. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

export class EventStream {
  private readonly stopping = new AbortController()
  private readonly fetch: typeof fetch
  private readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>
  private lastId: string
  private retry = FIRST_RETRY
  private failures = 0
  private ended = false

  constructor(
    private readonly url: string,
    private readonly handlers: StreamHandlers,
    options: StreamOptions = {},
  ) {
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis)
    this.pause = options.pause ?? sleep
    this.lastId = options.lastId ?? ''
  }

  stop(): void {
    this.stopping.abort()
  }

  /** Runs until the end event, a final refusal, or stop(). Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.stopping
    try {
      while (!signal.aborted && !this.ended) {
        this.handlers.onState('connecting', null)
        const error = await this.follow(signal)
        if (signal.aborted || this.ended) break
        if (error && isFinal(error.status)) return this.refused(error)
        this.handlers.onState('waiting', error)
        await this.pause(this.delay(error), signal)
      }
    } catch (thrown) {
      if (!isAbort(thrown)) throw thrown
    }
    if (this.ended) this.handlers.onState('ended', null)
  }

  private refused(error: ApiError): void {
    if (error.status === 401) sessionEnded()
    this.handlers.onState('failed', error)
  }

  private delay(error: ApiError | null): number {
    if (error?.retryAfterSeconds != null) return error.retryAfterSeconds * 1_000
    return Math.min(this.retry * 2 ** Math.max(0, this.failures - 1), LONGEST_RETRY)
  }

  /** One connection from open to close; gives the error that ended it, null for a plain close. */
  private async follow(signal: AbortSignal): Promise<ApiError | null> {
    const connection = new AbortController()
    const stop = () => connection.abort()
    signal.addEventListener('abort', stop, { once: true })
    let watchdog = setTimeout(stop, SILENCE)
    try {
      const headers: Record<string, string> = { ...commonHeaders('GET'), Accept: 'text/event-stream' }
      if (this.lastId) headers['Last-Event-ID'] = this.lastId
      const response = await this.fetch(this.url, {
        headers, credentials: 'same-origin', cache: 'no-store', signal: connection.signal,
      })
      if (!response.ok || !response.body) return await this.unusable(response)
      this.handlers.onState('live', null)
      const parser = new SseParser()
      parser.lastId = this.lastId
      const reader = response.body.getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        clearTimeout(watchdog)
        watchdog = setTimeout(stop, SILENCE)
        this.take(parser, value)
        if (this.ended) break
      }
      this.failures += 1
      return null
    } catch (thrown) {
      this.failures += 1
      return networkError(thrown)
    } finally {
      clearTimeout(watchdog)
      signal.removeEventListener('abort', stop)
      connection.abort()
    }
  }

  private async unusable(response: Response): Promise<ApiError> {
    this.failures += 1
    return errorFrom(response, await response.json().catch(() => null))
  }

  private take(parser: SseParser, bytes: Uint8Array): void {
    const events = parser.feed(bytes)
    if (parser.retryMilliseconds !== null) this.retry = parser.retryMilliseconds
    if (events.length === 0) return
    this.failures = 0
    this.lastId = events.at(-1)?.id ?? this.lastId
    if (events.some((event) => event.event === 'end')) this.ended = true
    this.handlers.onEvents(events)
  }
}
