// People, groups and objects in the form in which they are chosen.
import { api, call } from './client'
import { hostSource, hostsById } from './hosts'
import { namesFrom } from './names'
import { findUsers, userById, userGroups } from './people'

interface Choice {
  id: number
  name: string
  detail?: string
}

export const userChoices = {
  search: async (text: string): Promise<Choice[]> => (await findUsers(text)).map((one) => ({ id: one.id, name: one.username, detail: one.display_name })),
  byId: async (id: number): Promise<Choice> => ({ id, name: (await userById(id)).username }),
}

export const groupChoices = {
  search: async (text: string): Promise<Choice[]> => (await userGroups(text)).map((one) => ({ id: one.id, name: one.name, detail: one.description })),
  byId: async (id: number): Promise<Choice> => ({ id, name: (await call(api.GET('/api/auth/groups/{group_id}/', { params: { path: { group_id: id } } }))).name }),
}

export const hostChoices = {
  search: async (text: string): Promise<Choice[]> => (await hostSource.page({ search: text, status: null, group: null }, 1, 50)).results.map((one) => ({ id: one.id, name: one.name, detail: one.ip_address })),
  byId: async (id: number): Promise<Choice> => ({ id, name: (await hostsById([id]))[0]?.name ?? `#${id}` }),
}

const hostGroups = {
  search: async (text: string): Promise<Choice[]> => (await hostSource.groups(new AbortController().signal)).filter((one) => one.name.toLowerCase().includes(text.toLowerCase())).map((one) => ({ id: one.id, name: one.name })),
  byId: async (id: number): Promise<Choice> => ({ id, name: (await call(api.GET('/api/hosts/groups/{group_id}/', { params: { path: { group_id: id } } }))).name }),
}

/** Where objects of a kind are found by name; other kinds are named by their id. */
export const objectChoices: Partial<Record<string, typeof hostChoices>> = { host: hostChoices, host_group: hostGroups }

export const { nameOf: nameOfObject, forget: forgetNames } = namesFrom(objectChoices)
