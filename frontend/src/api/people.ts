// Users, their groups, logins and tokens: short names and the questions that several pages ask.
import { api, call } from './client'
import type { BodyOf, ContentOf } from './contents'

export type UserRow = ContentOf<'/api/auth/users/', 'get'>['results'][number]
export type UserDraft = BodyOf<'/api/auth/users/', 'post'>
export type Profile = ContentOf<'/api/auth/me/', 'get'>
export type LoginRow = ContentOf<'/api/auth/sessions/', 'get'>[number]
export type TokenRow = ContentOf<'/api/auth/tokens/', 'get'>[number]
export type UserGroup = ContentOf<'/api/auth/groups/{group_id}/', 'get'>
export type Member = ContentOf<'/api/auth/groups/{group_id}/members/', 'get'>['results'][number]
export type RoleRow = ContentOf<'/api/permissions/roles/', 'get'>[number]
export type SignInOptions = ContentOf<'/api/auth/options/', 'get'>
export type Enrolment = ContentOf<'/api/auth/mfa/setup/', 'post'>

export const BUILT_IN_ROLES = ['admin', 'operator', 'viewer', 'auditor', 'member'] as const

const MOST = 200

/** Roles in the order in which they are chosen: the built-in ones, then the others by name. */
export async function allRoles(signal?: AbortSignal): Promise<RoleRow[]> {
  const roles = await call(api.GET('/api/permissions/roles/', { signal }))
  return [...roles].sort((a, b) => Number(b.is_built_in) - Number(a.is_built_in) || (a.is_built_in ? a.id - b.id : a.name.localeCompare(b.name)))
}

export async function userGroups(search?: string, signal?: AbortSignal): Promise<UserGroup[]> {
  const query = { page: 1, page_size: MOST, search: search || undefined }
  return (await call(api.GET('/api/auth/groups/', { signal, params: { query } }))).results
}

export async function findUsers(search: string, signal?: AbortSignal): Promise<UserRow[]> {
  const query = { page: 1, page_size: 50, search: search || undefined, sort: 'username' as const }
  return (await call(api.GET('/api/auth/users/', { signal, params: { query } }))).results
}

export const userById = (id: number): Promise<UserRow> => call(api.GET('/api/auth/users/{user_id}/', { params: { path: { user_id: id } } }))
