// Who is signed in and what that person may do. The session itself is an HttpOnly cookie; no token is kept here.
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { api, call } from './client'
import { ApiError } from './errors'
import type { User } from './types'

export const useSession = defineStore('session', () => {
  const user = ref<User | null>(null)
  const known = ref(false)
  const isSignedIn = computed(() => user.value !== null)

  function may(permission: string): boolean {
    const granted = user.value?.permissions ?? []
    return granted.includes('*') || granted.includes(permission)
  }

  /** Asks the server once who we are; a 401 means nobody, any other failure is thrown. */
  async function restore(): Promise<void> {
    if (known.value) return
    try {
      user.value = await call(api.GET('/api/auth/me/'), { quietly: true })
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.status !== 401) throw thrown
      user.value = null
    }
    known.value = true
  }

  async function signIn(username: string, password: string): Promise<void> {
    const content = await call(api.POST('/api/auth/login/', { body: { username, password } }), { quietly: true })
    user.value = content.user
    known.value = true
  }

  /** Forgets the person here even if the server cannot be told: the button must always work. */
  async function signOut(): Promise<void> {
    try {
      await call(api.POST('/api/auth/logout/'), { quietly: true })
    } finally {
      forget()
    }
  }

  async function changePassword(current: string, next: string): Promise<void> {
    const body = { current_password: current, new_password: next }
    await call(api.POST('/api/auth/password/', { body }))
    known.value = false
    await restore()
  }

  function forget(): void {
    user.value = null
    known.value = true
  }

  return { user, isSignedIn, may, restore, signIn, signOut, changePassword, forget }
})
