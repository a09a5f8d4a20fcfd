// When the server asks for more than the request held (a fresh proof, a typed number), somebody is asked and the very
// same request goes out again. Nothing of it is lost meanwhile; who declines gets the server's refusal.
import type { Middleware } from 'openapi-fetch'
import { type Envelope, type ErrorContent, errorFrom } from './errors'

export interface Questions {
  /** Whether the person has proved again to be there. */
  prove: () => Promise<boolean>
  /** Whether somebody has typed this number. */
  typeCount: (count: number) => Promise<boolean>
}

/** After so long every gateway has noticed a proof. */
export const BELIEVED_MS = 2_100
const MOST_QUESTIONS = 4

const nobody: Questions = { prove: async () => false, typeCount: async () => false }
let questions: Questions = nobody
let proving: Promise<boolean> | null = null
const kept = new Map<string, Request>()

/** The frame says who asks; without one nobody is asked. */
export function configureQuestions(given: Questions | null): void {
  questions = given ?? nobody
}

async function refusalOf(response: Response): Promise<{ code: string; details: Record<string, unknown> } | null> {
  if (response.status !== 403 && response.status !== 409) return null
  const body = (await response.clone().json().catch(() => null)) as Envelope<ErrorContent> | null
  return errorFrom(response, body)
}

/** Several requests at once lead to one question. */
function proved(): Promise<boolean> {
  proving ??= questions.prove().finally(() => (proving = null))
  return proving
}

async function withField(request: Request, field: string, value: number): Promise<Request> {
  const text = await request.clone().text()
  const body: unknown = text === '' ? {} : JSON.parse(text)
  const { url, method, headers, credentials, signal } = request
  return new Request(url, { method, headers, credentials, signal, body: JSON.stringify({ ...(body as object), [field]: value }) })
}

async function answered(request: Request, first: Response): Promise<Response> {
  let answer = first
  let sending = request
  let hasProved = false
  for (let round = 0; round < MOST_QUESTIONS; round++) {
    const refusal = await refusalOf(answer)
    if (refusal?.code === 'count_unconfirmed' && typeof refusal.details.field === 'string') {
      const count = Number(refusal.details.count)
      if (!(await questions.typeCount(count))) return answer
      sending = await withField(sending, refusal.details.field, count)
    } else if (refusal?.code === 'step_up_required') {
      if (hasProved) await new Promise((done) => setTimeout(done, BELIEVED_MS))
      else if (!(await proved())) return answer
      hasProved = true
    } else return answer
    answer = await fetch(sending.clone())
  }
  return answer
}

export const insisting: Middleware = {
  onRequest({ request, id }) {
    if (request.method !== 'GET') kept.set(id, request.clone())
  },
  async onResponse({ response, id }) {
    const request = kept.get(id)
    kept.delete(id)
    return request ? await answered(request, response) : undefined
  },
  onError({ id }) {
    kept.delete(id)
  },
}
