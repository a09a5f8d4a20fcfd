// Who is signed in and what that person may do. The session itself is an HttpOnly cookie; no token is kept here.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { forgetNames } from './choices'
import { api, call } from './client'
import { ApiError } from './errors'
import type { Profile } from './people'
import { type Grant, type Reach, reaches } from './rights'

/** What may be sent along with name and password, once it was asked for. */
export interface Proofs {
  otp_token?: string
  captcha_key?: string
  captcha_value?: string
  remember_me?: boolean
}

export type { Reach }

export const useSession = defineStore('session', () => {
  const user = ref<Profile | null>(null)
  const grants = shallowRef<readonly Grant[]>([])
  const known = ref(false)
  const isSignedIn = computed(() => user.value !== null)

  function may(permission: string): boolean {
    const granted = user.value?.permissions ?? []
    return granted.includes('*') || granted.includes(permission)
  }

  /** By a permission for all there is, or by a grant for some of it. */
  function allows(permission?: string, reach?: Reach): boolean {
    return (permission === undefined && reach === undefined) || (permission !== undefined && may(permission)) || (reach !== undefined && reaches(grants.value, reach))
  }

  /** Asks the server once who we are; a 401 means nobody, any other failure is thrown. */
  async function restore(): Promise<void> {
    if (known.value) return
    try {
      user.value = await call(api.GET('/api/auth/me/'), { quietly: true })
      await loadGrants()
    } catch (thrown) {
      if (!(thrown instanceof ApiError) || thrown.status !== 401) throw thrown
      user.value = null
    }
    known.value = true
  }

  /** What cannot be had is not shown: the server decides anyway, this only leads the way. */
  async function loadGrants(): Promise<void> {
    if (may('*')) return
    try {
      grants.value = (await call(api.GET('/api/permissions/my/'), { quietly: true })).grants
    } catch {
      grants.value = []
    }
  }

  async function reload(): Promise<void> {
    known.value = false
    await restore()
  }

  async function signIn(username: string, password: string, proofs: Proofs = {}): Promise<void> {
    await call(api.POST('/api/auth/login/', { body: { username, password, ...proofs } }), { quietly: true })
    await reload()
  }

  /** Forgets the person here even if the server cannot be told: the button must always work. */
  async function signOut(): Promise<void> {
    let farewell: string | null | undefined
    try {
      farewell = (await call(api.POST('/api/auth/logout/'), { quietly: true })).continue_at
    } finally {
      forget()
    }
    // Who came through an identity provider logs out there, too.
    if (farewell) window.location.assign(farewell)
  }

  async function changePassword(current: string, next: string): Promise<void> {
    await call(api.POST('/api/auth/password/', { body: { current_password: current, new_password: next } }))
    await reload()
  }

  function forget(): void {
    forgetNames()
    user.value = null
    grants.value = []
    known.value = true
  }

  return { user, isSignedIn, may, allows, restore, reload, signIn, signOut, changePassword, forget }
})
