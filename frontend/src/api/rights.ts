// Grants, their templates and decisions: short names and the words they are made of.
import { api, call } from './client'
import type { BodyOf, ContentOf } from './contents'

export type Grant = ContentOf<'/api/permissions/grants/', 'get'>['results'][number]
export type GrantDraft = BodyOf<'/api/permissions/grants/', 'post'>
export type GrantPart = BodyOf<'/api/permissions/templates/', 'post'>['parts'][number]
export type GrantTemplate = ContentOf<'/api/permissions/templates/', 'get'>[number]
export type GrantWindow = NonNullable<GrantPart['windows']>[number]
export type ObjectType = Grant['object_type']
export type Action = Grant['actions'][number]
export type GrantState = Grant['state']
export type Catalogue = ContentOf<'/api/permissions/catalogue/', 'get'>
export type Word = Catalogue['actions'][number]
export type Permission = ContentOf<'/api/permissions/permissions/', 'get'>[number]
export type Rights = ContentOf<'/api/permissions/my/', 'get'>
export type Explanation = ContentOf<'/api/permissions/explain/', 'post'>
export type ViewAs = ContentOf<'/api/permissions/view-as/{user_id}/', 'get'>

export const ACTIONS: readonly Action[] = ['view', 'use', 'execute', 'edit', 'delete', 'grant']
export const OBJECT_TYPES: readonly ObjectType[] = ['host', 'host_group', 'account', 'script_template', 'job_template', 'plan', 'schedule', 'execution']
export const GRANT_STATES: readonly GrantState[] = ['live', 'scheduled', 'expired', 'revoked']

/** Running on hosts is the one thing that also says what may be run and as whom. */
export const runsOnHosts = (part: { actions: readonly Action[]; object_type: ObjectType }): boolean =>
  part.actions.includes('execute') && (part.object_type === 'host' || part.object_type === 'host_group')

/** What a grant in force has to allow, on an object of one of these kinds; no kinds: on any. */
export interface Reach {
  action: Action
  types: readonly ObjectType[]
}

/** Whether some grant in force allows this on at least one object; every action includes seeing it. */
export function reaches(grants: readonly Pick<Grant, 'state' | 'object_type' | 'actions'>[], { action, types }: Reach): boolean {
  return grants.some((grant) => {
    const fits = types.length === 0 || types.includes(grant.object_type)
    return grant.state === 'live' && fits && (action === 'view' || grant.actions.includes(action))
  })
}

let permissions: Promise<Permission[]> | null = null

/** The catalogue of permissions; it is the same for everybody and changes only with the version of the platform. */
export function permissionCatalogue(): Promise<Permission[]> {
  permissions ??= call(api.GET('/api/permissions/permissions/')).catch((thrown: unknown) => {
    permissions = null
    throw thrown
  })
  return permissions
}

/** The area of a permission: what stands before the colon. */
export const areaOf = (permission: string): string => permission.split(':')[0] ?? permission
