// A grant while it is filled in, and what is still missing.
import { type Action, type GrantPart, type GrantWindow, type ObjectType, runsOnHosts } from '@/api/rights'

export interface PartDraft {
  actions: Action[]
  object_type: ObjectType
  all: boolean
  ids: string[]
  what: string[]
  accounts: string[]
  hours: boolean
  days: number[]
  start: string
  until: string
  zone: string
  /** Further windows, which are kept as they are. */
  furtherWindows: GrantWindow[]
}

export const ALL = '*'

export function emptyPart(zone: string): PartDraft {
  return { actions: ['view'], object_type: 'host', all: false, ids: [], what: ['adhoc'], accounts: ['@agent'], hours: false, days: [1, 2, 3, 4, 5], start: '08:00', until: '18:00', zone, furtherWindows: [] }
}

/** A part that exists already, to be changed; the zone is for hours that are set only now. */
export function draftOf(part: GrantPart, zone: string): PartDraft {
  const [window, ...furtherWindows] = part.windows ?? []
  const ids = (part.object_ids ?? []).map(String)
  const all = ids.includes(ALL)
  return {
    ...emptyPart(zone), actions: [...part.actions], object_type: part.object_type, all, ids: all ? [] : ids,
    ...(runsOnHosts(part) ? { what: [...(part.what ?? [])], accounts: [...(part.accounts ?? [])] } : {}),
    ...(window ? { hours: true, days: [...window.days], start: window.start, until: window.until, zone: window.zone ?? zone, furtherWindows } : {}),
  }
}

function hoursFit({ days, start, until }: PartDraft): boolean {
  return days.length > 0 && start !== '' && until !== '' && start !== until
}

/** The first thing that keeps a part from being given, as the key of its text; null when it is complete. */
export function partLacks(part: PartDraft): string | null {
  if (part.actions.length === 0) return 'actions'
  if (!part.all && part.ids.length === 0) return 'objects'
  if (runsOnHosts(part) && part.what.length === 0) return 'what'
  if (runsOnHosts(part) && part.accounts.length === 0) return 'accounts'
  return part.hours && !hoursFit(part) ? 'hours' : null
}

export function bodyOf(part: PartDraft): GrantPart {
  const runs = runsOnHosts(part)
  const windows: GrantWindow[] | null = part.hours ? [{ days: [...part.days].sort(), start: part.start, until: part.until, zone: part.zone }, ...part.furtherWindows] : null
  return {
    actions: part.actions, object_type: part.object_type, object_ids: part.all ? [ALL] : part.ids, what: runs ? part.what : [], accounts: runs ? part.accounts : [], windows,
  }
}
