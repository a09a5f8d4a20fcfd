// The one thin wrapper around the generated client: envelope, errors, CSRF header, language, sign-in on 401.
import createClient, { type Middleware } from 'openapi-fetch'
import { errorFrom, isAbort, networkError } from './errors'
import { insisting } from './insist'
import type { paths } from './schema'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

export const CSRF_HEADER = 'X-Requested-With'
export const CSRF_VALUE = 'opsjob'

interface Hooks {
  onUnauthenticated: () => void
  language: () => string
}

const hooks: Hooks = { onUnauthenticated: () => undefined, language: () => 'en' }

/** The frame tells what to do without a session and which language messages should have. */
export function configureApi(given: Partial<Hooks>): void {
  Object.assign(hooks, given)
}

export function commonHeaders(method: string): Record<string, string> {
  const headers: Record<string, string> = { 'Accept-Language': hooks.language() }
  if (!SAFE_METHODS.has(method.toUpperCase())) headers[CSRF_HEADER] = CSRF_VALUE
  return headers
}

export function sessionEnded(): void {
  hooks.onUnauthenticated()
}

const ours: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(commonHeaders(request.method))) request.headers.set(name, value)
    return request
  },
}

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '', credentials: 'same-origin' })
api.use(ours, insisting)

interface Answer<T> {
  data?: { success: boolean; content?: T }
  error?: unknown
  response: Response
}

type Quiet = { quietly?: boolean }

/** The content of the envelope, or an ApiError thrown. `quietly` leaves a 401 to the caller. */
export async function call<T>(pending: Promise<Answer<T>>, options: Quiet = {}): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await pending
  } catch (thrown) {
    if (isAbort(thrown)) throw thrown
    throw networkError(thrown)
  }
  if (answer.response.ok && answer.data) return answer.data.content as T
  const error = errorFrom(answer.response, answer.error)
  if (error.status === 401 && !options.quietly) sessionEnded()
  throw error
}
