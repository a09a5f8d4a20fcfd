import { afterEach, describe, expect, it, vi } from 'vitest'
import { api, call, configureApi } from '@/api/client'
import { ApiError, errorFrom } from '@/api/errors'
import { returnPath } from '@/ui/url-state'

function answerWith(status: number, body: unknown, headers: Record<string, string> = {}) {
  const seen: Request[] = []
  const fake = vi.spyOn(globalThis, 'fetch').mockImplementation(async (request) => {
    seen.push(request as Request)
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } })
  })
  return { fake, seen }
}
const login = () => call(api.POST('/api/auth/login/', { body: { username: 'a', password: 'b' }, fetch: globalThis.fetch }))

afterEach(() => configureApi({ onUnauthenticated: () => undefined, language: () => 'en' }))

describe('calls', () => {
  it('give the content of the envelope', async () => {
    answerWith(200, { code: 200, message: 'OK', success: true, content: { user: { id: 1 } } })

    expect(await login()).toEqual({ user: { id: 1 } })
  })

  it('carry the header against forged requests and the language', async () => {
    configureApi({ language: () => 'zh-CN' })
    const { seen } = answerWith(200, { code: 200, message: 'OK', success: true, content: {} })

    await login()

    expect(seen[0]?.headers.get('X-Requested-With')).toBe('opsjob')
    expect(seen[0]?.headers.get('Accept-Language')).toBe('zh-CN')
  })

  it('throw errors with code, details and request id', async () => {
    answerWith(409, { code: 409, message: 'Taken.', success: false, content: { error: 'host_name_taken', details: { name: 'x' }, request_id: 'r9' } })

    await expect(login()).rejects.toMatchObject({ status: 409, code: 'host_name_taken', details: { name: 'x' }, requestId: 'r9', message: 'Taken.' })
  })

  it('tell the frame when the session has ended', async () => {
    const ended = vi.fn()
    configureApi({ onUnauthenticated: ended })
    answerWith(401, { code: 401, message: 'Sign in.', success: false, content: { error: 'unauthenticated' } })

    await expect(login()).rejects.toBeInstanceOf(ApiError)

    expect(ended).toHaveBeenCalledOnce()
  })

  it('say "network" when nothing answers', async () => {
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('fetch failed'))

    await expect(login()).rejects.toMatchObject({ status: 0, code: 'network', isTemporary: true })
  })
})

describe('answers that are not ours', () => {
  it('become usable errors', () => {
    const error = errorFrom(new Response('', { status: 503, headers: { 'Retry-After': '4', 'X-Request-ID': 'r2' } }), '<html>')

    expect(error).toMatchObject({ code: 'unavailable', retryAfterSeconds: 4, requestId: 'r2' })
    expect(errorFrom(new Response('', { status: 500 }), undefined).code).toBe('unexpected_answer')
  })
})

describe('the way back after signing in', () => {
  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', undefined, ['/a']])('is never %s', (given) => {
    expect(returnPath(given)).toBe('/')
  })

  it('is a page of ours', () => {
    expect(returnPath('/executions/1?host=2')).toBe('/executions/1?host=2')
  })
})
