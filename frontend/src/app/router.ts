// Pages and their addresses. A page that needs a permission says so here; the frame shows "not allowed" in its place.
import { createRouter, createWebHistory, type RouteLocationRaw, type Router, type RouteRecordRaw } from 'vue-router'
import { type Reach, useSession } from '@/api/session'
import { returnPath } from '@/ui/url-state'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's name, for breadcrumb and window title. */
    title?: string
    permission?: string
    /** Instead of the permission, some grant in force may open the page: this action on one of these kinds. */
    reach?: Reach
    /** The address above this one in the breadcrumb. */
    parent?: string
    public?: boolean
    /** Which of the two consoles the page belongs to; without one it is in both. */
    console?: 'jobs' | 'ops'
    /** The page uses the whole height itself, without scrolling of the frame. */
    fills?: boolean
  }
}

const RUNNING: Reach = { action: 'execute', types: ['host', 'host_group'] }
const HOSTS: Reach = { action: 'view', types: ['host', 'host_group'] }
const GIVING: Reach = { action: 'grant', types: [] }
const ANYTHING: Reach = { action: 'view', types: [] }

/** Where somebody begins: at the first page that needs a right which the person has, else at oneself. */
function startPage(): RouteLocationRaw {
  const session = useSession()
  const open = pages.find(({ meta }) => meta?.permission && session.allows(meta.permission, meta.reach))
  return { name: open?.name ?? 'profile', replace: true }
}

/** Where the Ops console begins: at the first of its pages that is open to the person, if one is. */
function firstOfOps(): RouteLocationRaw | true {
  const session = useSession()
  const open = pages.find(({ meta }) => meta?.console === 'ops' && session.allows(meta.permission, meta.reach))
  return open ? { name: open.name, replace: true } : true
}

const pages: RouteRecordRaw[] = [
  // Both lead on, once it is known who is here: see the guard below.
  { path: '', name: 'home', component: () => import('./MissingPage.vue') },
  { path: 'ops', name: 'ops', component: () => import('./MissingPage.vue'), meta: { title: 'app.nav.missing' } },
  {
    path: 'quick', name: 'quick', component: () => import('@/features/execution/quick/QuickPage.vue'),
    meta: { console: 'jobs', title: 'app.nav.quick', permission: 'executions:run', reach: RUNNING, fills: true },
  },
  {
    path: 'plans/new', name: 'plan', component: () => import('@/features/execution/plans/PlanPage.vue'),
    meta: { console: 'jobs', title: 'app.nav.plan', permission: 'executions:run', reach: RUNNING },
  },
  {
    path: 'files', name: 'files', component: () => import('@/features/execution/files/TransferPage.vue'),
    meta: { console: 'jobs', title: 'app.nav.files', permission: 'executions:run', reach: RUNNING },
  },
  {
    path: 'executions', name: 'executions', component: () => import('@/features/execution/records/RecordsPage.vue'),
    meta: { console: 'jobs', title: 'app.nav.executions', permission: 'executions:read', reach: ANYTHING },
  },
  {
    path: 'executions/:id', name: 'execution', component: () => import('@/features/execution/live/LivePage.vue'), props: true,
    meta: { console: 'jobs', title: 'app.nav.execution', parent: 'executions', permission: 'executions:read', reach: ANYTHING, fills: true },
  },
  {
    path: 'hosts', name: 'hosts', component: () => import('@/features/hosts/inventory/HostsPage.vue'),
    meta: { console: 'jobs', title: 'app.nav.hosts', permission: 'hosts:read', reach: HOSTS },
  },
  {
    path: 'ops/agents', alias: 'agents', name: 'agents', component: () => import('@/features/hosts/agents/AgentsPage.vue'),
    meta: { console: 'ops', title: 'app.nav.agents', permission: 'agents:read' },
  },
  {
    path: 'ops/security', alias: 'security', name: 'security', component: () => import('@/features/hosts/security/SecurityPage.vue'),
    meta: { console: 'ops', title: 'app.nav.security', permission: 'agents:read' },
  },
  {
    path: 'profile', name: 'profile', component: () => import('@/features/auth/profile/ProfilePage.vue'),
    meta: { title: 'app.nav.profile' },
  },
  {
    path: 'ops/users', alias: 'users', name: 'users', component: () => import('@/features/auth/users/UsersPage.vue'),
    meta: { console: 'ops', title: 'app.nav.users', permission: 'users:read' },
  },
  {
    path: 'ops/groups', alias: 'groups', name: 'groups', component: () => import('@/features/auth/groups/GroupsPage.vue'),
    meta: { console: 'ops', title: 'app.nav.groups', permission: 'users:read' },
  },
  {
    path: 'ops/access', alias: 'access', name: 'access', component: () => import('@/features/auth/access/ExplainPage.vue'),
    meta: { console: 'ops', title: 'app.nav.access', permission: 'permissions:read' },
  },
  {
    path: 'ops/access/user', alias: 'access/user', name: 'view-as', component: () => import('@/features/auth/access/ViewAsPage.vue'),
    meta: { console: 'ops', title: 'app.nav.view-as', parent: 'access', permission: 'permissions:read' },
  },
  {
    path: 'profile/rights', name: 'my-rights', component: () => import('@/features/auth/access/MyRightsPage.vue'),
    meta: { title: 'app.nav.my-rights' },
  },
  {
    path: 'ops/roles', alias: 'roles', name: 'roles', component: () => import('@/features/auth/roles/RolesPage.vue'),
    meta: { console: 'ops', title: 'app.nav.roles', permission: 'permissions:read' },
  },
  {
    path: 'ops/grants', alias: 'grants', name: 'grants', component: () => import('@/features/auth/grants/GrantsPage.vue'),
    meta: { console: 'ops', title: 'app.nav.grants', permission: 'permissions:read', reach: GIVING },
  },
  {
    path: 'ops/rules', alias: 'rules', name: 'rules', component: () => import('@/features/execution/rules/RulesPage.vue'),
    meta: { console: 'ops', title: 'app.nav.rules', permission: 'rules:read' },
  },
  {
    path: 'approvals', name: 'approvals', component: () => import('@/features/auth/approvals/ApprovalsPage.vue'),
    meta: { console: 'jobs', title: 'app.nav.approvals' },
  },
  {
    path: 'ops/audit', alias: 'audit', name: 'audit', component: () => import('@/features/auth/audit/AuditPage.vue'),
    meta: { console: 'ops', title: 'app.nav.audit', permission: 'audit:read' },
  },
  { path: ':rest(.*)*', name: 'missing', component: () => import('./MissingPage.vue'), meta: { title: 'app.nav.missing' } },
]

export function createConsoleRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/login', name: 'login', component: () => import('@/features/auth/login/LoginPage.vue'), meta: { title: 'app.nav.login', public: true } },
      { path: '/', component: () => import('./layout/AppLayout.vue'), children: pages },
    ],
    scrollBehavior: (to, from, kept) => (to.path === from.path ? (kept ?? undefined) : (kept ?? { top: 0 })),
  })
  router.beforeEach(async (to) => {
    const session = useSession()
    try {
      await session.restore()
    } catch {
      return to.meta.public ? true : { name: 'login', query: { from: to.fullPath, error: 'unavailable' } }
    }
    if (to.meta.public) return session.isSignedIn ? returnPath(to.query.from) : true
    if (session.isSignedIn) return to.name === 'home' ? startPage() : to.name === 'ops' ? firstOfOps() : true
    return { name: 'login', query: to.fullPath === '/' ? {} : { from: to.fullPath } }
  })
  return router
}
