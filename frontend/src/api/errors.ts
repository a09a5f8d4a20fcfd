// What went wrong with a call, in a form that pages can decide on: by `code`, never by text.

export interface ErrorContent {
  error?: string
  details?: Record<string, unknown>
  request_id?: string
}

export interface Envelope<T> {
  code: number
  message: string
  success: boolean
  content: T
}

/** `network` stands for "no answer at all"; every other code is the server's own word. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly details: Record<string, unknown>
  readonly requestId: string | null
  readonly retryAfterSeconds: number | null

  constructor(init: {
    status: number
    code: string
    message: string
    details?: Record<string, unknown>
    requestId?: string | null
    retryAfterSeconds?: number | null
  }) {
    super(init.message)
    this.name = 'ApiError'
    this.status = init.status
    this.code = init.code
    this.details = init.details ?? {}
    this.requestId = init.requestId ?? null
    this.retryAfterSeconds = init.retryAfterSeconds ?? null
  }

  get isForbidden(): boolean {
    return this.status === 403
  }

  get isMissing(): boolean {
    return this.status === 404
  }

  /** True when the same request may succeed later without a change. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502
  }
}

const FALLBACK_CODES: Record<number, string> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  429: 'too_many',
  503: 'unavailable',
}

function isEnvelope(body: unknown): body is Envelope<ErrorContent | null> {
  return typeof body === 'object' && body !== null && 'message' in body && 'content' in body
}

function retryAfter(headers: Headers): number | null {
  const seconds = Number(headers.get('Retry-After') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}

/** Reads an error answer; one that is not our envelope (a proxy's page) still becomes a usable error. */
export function errorFrom(response: Response, body: unknown): ApiError {
  const content: ErrorContent = (isEnvelope(body) ? body.content : null) ?? {}
  return new ApiError({
    status: response.status,
    code: content.error ?? FALLBACK_CODES[response.status] ?? 'unexpected_answer',
    message: isEnvelope(body) ? body.message : '',
    details: content.details,
    requestId: content.request_id ?? response.headers.get('X-Request-ID'),
    retryAfterSeconds: retryAfter(response.headers),
  })
}

export function networkError(cause: unknown): ApiError {
  const error = new ApiError({ status: 0, code: 'network', message: '' })
  error.cause = cause
  return error
}

/** Anything thrown, as an ApiError; programming mistakes keep their text and get the code `client`. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  return new ApiError({ status: -1, code: 'client', message: thrown instanceof Error ? thrown.message : String(thrown) })
}

export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'AbortError'
}
