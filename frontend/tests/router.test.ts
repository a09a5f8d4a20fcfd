import { createPinia, setActivePinia } from 'pinia'
import { describe, expect, it, vi } from 'vitest'
import { createConsoleRouter } from '@/app/router'

/** The server; the client keeps the fetch that was there when it was made. */
const server = vi.hoisted(() => {
  const told = { permissions: [] as readonly string[], grants: [] as readonly object[] }
  globalThis.fetch = async (request) => {
    const content = (request as Request).url.endsWith('/api/auth/me/') ? { id: 1, username: 'u', permissions: told.permissions } : { grants: told.grants }
    return new Response(JSON.stringify({ code: 200, message: '', success: true, content }), { headers: { 'Content-Type': 'application/json' } })
  }
  return told
})

/** Where somebody with these rights is led from an address, before any page is fetched. */
async function ledFrom(path: string, permissions: readonly string[], grants: readonly object[] = []): Promise<unknown> {
  setActivePinia(createPinia())
  Object.assign(server, { permissions, grants })
  const router = createConsoleRouter()
  const names: unknown[] = []
  router.beforeEach((to) => {
    names.push(to.name)
    return false
  })
  await router.push(path)
  return names.at(-1)
}

describe('the first page after a login', () => {
  it.each([
    ['quick', ['users:read', 'hosts:read', 'executions:run', 'executions:read']],
    ['executions', ['audit:read', 'executions:read', 'hosts:read']],
    ['hosts', ['hosts:read', 'users:read']],
    ['users', ['users:read']],
    ['audit', ['audit:read']],
    ['profile', []],
  ])('is %s, the first that is open to %j', async (name, permissions) => {
    expect(await ledFrom('/', permissions)).toBe(name)
  })

  it('is opened by a grant, too', async () => {
    const grant = { actions: ['execute'], object_type: 'host', object_ids: ['1'], state: 'live' }

    expect(await ledFrom('/', ['users:read'], [grant])).toBe('quick')
  })

  it('of the second console is the first of its pages', async () => {
    expect(await ledFrom('/ops', ['executions:run', 'rules:read'])).toBe('rules')
  })
})
