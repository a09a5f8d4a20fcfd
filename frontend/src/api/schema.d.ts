// Generated from openapi.json by "npm run generate"; never edited by hand.

export interface paths {
    "/api/agents/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Agents
         * @description Agents with their hosts, page by page; retired ones are not listed.
         */
        get: operations["list_agents_api_agents_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/enrolment_tokens/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Tokens
         * @description Tokens without their text, newest first.
         */
        get: operations["list_tokens_api_agents_enrolment_tokens_get"];
        put?: never;
        /**
         * Issue Token
         * @description Makes a token that works once, for at most an hour; its text is shown here only.
         */
        post: operations["issue_token_api_agents_enrolment_tokens_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/enrolment_tokens/{token_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Token
         * @description Makes an unused token worthless; 409 `enrolment_token_spent`.
         */
        delete: operations["revoke_token_api_agents_enrolment_tokens__token_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Agent
         * @description One agent with its inventory.
         */
        get: operations["show_agent_api_agents__agent_id__get"];
        put?: never;
        post?: never;
        /**
         * Retire Agent
         * @description Ends an identity for good; the host stays and can enrol again.
         */
        delete: operations["retire_agent_api_agents__agent_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/disable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable Agent
         * @description Shuts an agent out within seconds, until it is enabled again.
         */
        post: operations["disable_agent_api_agents__agent_id__disable_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/enable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable Agent
         * @description Lets a disabled agent in again; 409 `agent_retired`.
         */
        post: operations["enable_agent_api_agents__agent_id__enable_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Login
         * @description Opens a session: a cookie for browsers, a pair of tokens for other clients.
         *
         *     Wrong credentials are 401 `invalid_credentials`, whatever is wrong; too many of them 429
         *     `too_many` with Retry-After.
         */
        post: operations["login_api_auth_login_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Logout
         * @description Ends the session with its cookie and tokens.
         */
        post: operations["logout_api_auth_logout_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Me
         * @description Who the caller is and what the caller may do.
         */
        get: operations["me_api_auth_me_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change Password
         * @description Changes the caller's password; all other sessions of the caller end.
         */
        post: operations["change_password_api_auth_password_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refresh
         * @description Exchanges a refresh token for a new pair; each works once, and using one again ends all.
         */
        post: operations["refresh_api_auth_refresh_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/roles/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Roles
         * @description The roles and what each allows; there are few, so this list has no pages.
         */
        get: operations["list_roles_api_auth_roles_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/users/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Users
         * @description Users, page by page.
         */
        get: operations["list_users_api_auth_users_get"];
        put?: never;
        /**
         * Create User
         * @description Makes a user; 409 `username_taken`, 422 `password_refused`.
         */
        post: operations["create_user_api_auth_users_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/users/{user_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show User
         * @description One user.
         */
        get: operations["show_user_api_auth_users__user_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change User
         * @description Enables or disables a user or changes roles; 409 `last_admin`.
         */
        patch: operations["change_user_api_auth_users__user_id__patch"];
        trace?: never;
    };
    "/api/executor/execution-records/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Executions
         * @description Executions, newest first; `search` looks in names, users and for an exact id.
         */
        get: operations["list_executions_api_executor_execution_records_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Execution
         * @description One execution with its steps and the first 1,000 tasks.
         */
        get: operations["show_execution_api_executor_execution_records__execution_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/cancel/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Execution
         * @description End what has not started for good, and ask the hosts to stop what runs.
         */
        post: operations["cancel_execution_api_executor_execution_records__execution_id__cancel_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/logs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read Log
         * @description Stored output in the order of arrival, from a position that an earlier answer gave.
         */
        get: operations["read_log_api_executor_execution_records__execution_id__logs_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/tasks/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Tasks
         * @description The tasks of an execution, page by page.
         */
        get: operations["list_tasks_api_executor_execution_records__execution_id__tasks_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hosts/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Hosts
         * @description Hosts, page by page. Unknown parameters are refused; of a repeated one the last counts.
         */
        get: operations["list_hosts_api_hosts_get"];
        put?: never;
        /**
         * Register Host
         * @description Adds a host; 409 `host_name_taken` or `host_address_taken`, 404 `group_not_found`.
         *
         *     Two hosts may not have the same address and port, in whatever spelling, unless the address is
         *     a loopback address or `allow_shared_address` is set.
         */
        post: operations["register_host_api_hosts_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hosts/groups/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Groups
         * @description Groups, page by page; the tree follows from `parent_id`.
         */
        get: operations["list_groups_api_hosts_groups_get"];
        put?: never;
        /**
         * Create Group
         * @description Makes a group; 409 `group_name_taken` or `group_too_deep`, 404 for an unknown parent.
         */
        post: operations["create_group_api_hosts_groups_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hosts/groups/{group_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Group
         * @description One group.
         */
        get: operations["show_group_api_hosts_groups__group_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Group
         * @description Deletes a group without subgroups; its hosts stay. 409 `group_has_subgroups`.
         */
        delete: operations["delete_group_api_hosts_groups__group_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Group
         * @description Renames or moves a group; 409 `group_cycle`.
         */
        patch: operations["change_group_api_hosts_groups__group_id__patch"];
        trace?: never;
    };
    "/api/hosts/{host_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Host
         * @description One host.
         */
        get: operations["show_host_api_hosts__host_id__get"];
        put?: never;
        post?: never;
        /**
         * Retire Host
         * @description Takes a host out of the inventory; its agent is retired and its tokens are revoked.
         */
        delete: operations["retire_host_api_hosts__host_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Host
         * @description Changes the fields that are given.
         */
        patch: operations["change_host_api_hosts__host_id__patch"];
        trace?: never;
    };
    "/api/quick/execute_script/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Execute Script
         * @description Run a script on hosts. With an `Idempotency-Key` a repeated request starts nothing new.
         *
         *     The answer 201 means that the execution and all its tasks are stored and will run; a repeated
         *     request is answered with 200 and the same id.
         */
        post: operations["execute_script_api_quick_execute_script_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/realtime/sse/{kind}/{execution_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow Execution
         * @description Follow an execution's output (`logs`), its states (`status`) or both (`combined`).
         *
         *     Every event's id resumes exactly behind it. The stream ends with the event `end`.
         */
        get: operations["follow_execution_api_realtime_sse__kind___execution_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Accepted
         * @description The execution is stored and will run, whatever happens next.
         */
        Accepted: {
            /** Execution Id */
            execution_id: string;
            /** Id */
            id: string;
            /** Status */
            status: string;
            /** Task Count */
            task_count: number;
            /** Created */
            created: boolean;
        };
        /**
         * AgentDetail
         * @description An agent with what it said about its host when it last connected.
         */
        AgentDetail: {
            /** Id */
            id: string;
            /** Host Id */
            host_id: number;
            /** Host Name */
            host_name: string;
            /** Ip Address */
            ip_address: string;
            status: components["schemas"]["AgentPresence"];
            /** Version */
            version: string;
            /** Last Seen At */
            last_seen_at: string | null;
            /** Connected At */
            connected_at: string | null;
            /**
             * Enrolled At
             * Format: date-time
             */
            enrolled_at: string;
            /** Metrics */
            metrics: {
                [key: string]: number;
            } | null;
            /** Identity Epoch */
            identity_epoch: number;
            /** Gateway Id */
            gateway_id: string | null;
            /** Public Key */
            public_key: string;
            /** Inventory */
            inventory: {
                [key: string]: unknown;
            };
        };
        /**
         * AgentOut
         * @description An agent and the host it serves.
         */
        AgentOut: {
            /** Id */
            id: string;
            /** Host Id */
            host_id: number;
            /** Host Name */
            host_name: string;
            /** Ip Address */
            ip_address: string;
            status: components["schemas"]["AgentPresence"];
            /** Version */
            version: string;
            /** Last Seen At */
            last_seen_at: string | null;
            /** Connected At */
            connected_at: string | null;
            /**
             * Enrolled At
             * Format: date-time
             */
            enrolled_at: string;
            /** Metrics */
            metrics: {
                [key: string]: number;
            } | null;
        };
        /**
         * AgentPresence
         * @description How the agent of a host stands, as lists show it.
         * @enum {string}
         */
        AgentPresence: "online" | "offline" | "disabled" | "none";
        /**
         * CancelIn
         * @description Why somebody cancels; shown in the record.
         */
        CancelIn: {
            /** Reason */
            reason?: string | null;
        };
        /**
         * CancelOut
         * @description What a cancel did at once and what it has asked the hosts to do.
         */
        CancelOut: {
            /** Execution Id */
            execution_id: string;
            status: components["schemas"]["ExecutionStatus"];
            /** Cancelled */
            cancelled: number;
            /** Cancelling */
            cancelling: number;
        };
        Error: {
            code: number;
            message: string;
            success: boolean;
            content: {
                error: string;
                details: Record<string, never>;
                request_id: string;
            };
        };
        /**
         * ExecutionDetail
         * @description An execution with its steps and at most the first 1,000 tasks of each.
         */
        ExecutionDetail: {
            /** Id */
            id: string;
            /** Execution Id */
            execution_id: string;
            /** Name */
            name: string;
            status: components["schemas"]["ExecutionStatus"];
            script_type: components["schemas"]["ScriptType"];
            /** Trigger */
            trigger: string;
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Task Total */
            task_total: number;
            /** Counts */
            counts: {
                [key: string]: number;
            };
            /** Version */
            version: number;
            /** Cancel Requested At */
            cancel_requested_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Duration Ms */
            duration_ms: number | null;
            /** Cancel Reason */
            cancel_reason: string | null;
            /** Script Content */
            script_content: string;
            /** Timeout Seconds */
            timeout_seconds: number;
            /** Args */
            args: string[];
            /** Env */
            env: {
                [key: string]: string;
            };
            /** Run As */
            run_as: string | null;
            /** Cwd */
            cwd: string | null;
            /** Steps */
            steps: components["schemas"]["StepOut"][];
            /** Tasks Total */
            tasks_total: number;
        };
        /**
         * ExecutionOut
         * @description One line of the list of executions.
         */
        ExecutionOut: {
            /** Id */
            id: string;
            /** Execution Id */
            execution_id: string;
            /** Name */
            name: string;
            status: components["schemas"]["ExecutionStatus"];
            script_type: components["schemas"]["ScriptType"];
            /** Trigger */
            trigger: string;
            /** User Id */
            user_id: number;
            /** Username */
            username: string;
            /** Task Total */
            task_total: number;
            /** Counts */
            counts: {
                [key: string]: number;
            };
            /** Version */
            version: number;
            /** Cancel Requested At */
            cancel_requested_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Duration Ms */
            duration_ms: number | null;
        };
        /**
         * ExecutionStatus
         * @description Where an execution stands; a pure function of the states of its tasks.
         * @enum {string}
         */
        ExecutionStatus: "pending" | "running" | "paused" | "success" | "failed" | "cancelled" | "timeout" | "lost" | "expired";
        /**
         * GroupCreate
         * @description A new group, below another one or at the top.
         */
        GroupCreate: {
            /** Name */
            name: string;
            /** Parent Id */
            parent_id?: number | null;
            /**
             * Description
             * @default
             */
            description: string;
        };
        /**
         * GroupOut
         * @description A group; `host_count` counts the hosts that are directly in it.
         */
        GroupOut: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Parent Id */
            parent_id: number | null;
            /** Description */
            description: string;
            /** Host Count */
            host_count: number;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
        };
        /**
         * GroupPatch
         * @description What may be changed about a group; `parent_id` null moves it to the top.
         */
        GroupPatch: {
            /** Name */
            name?: string | null;
            /** Parent Id */
            parent_id?: number | null;
            /** Description */
            description?: string | null;
        };
        /**
         * GroupRef
         * @description A group as hosts name it.
         */
        GroupRef: {
            /** Id */
            id: number;
            /** Name */
            name: string;
        };
        /**
         * HostCreate
         * @description A new host. `group` is the id or the name of an existing group.
         */
        HostCreate: {
            /** Name */
            name: string;
            /** Ip Address */
            ip_address: string;
            /**
             * Port
             * @default 22
             */
            port: number;
            /** Username */
            username?: string | null;
            /** Password */
            password?: string | null;
            /** Group */
            group?: number | string | null;
            /**
             * Description
             * @default
             */
            description: string;
            /** Tags */
            tags?: string[];
            /**
             * Allow Shared Address
             * @default false
             */
            allow_shared_address: boolean;
        };
        /**
         * HostOut
         * @description A host as lists and details show it. The list is encoded by hand to the same form.
         */
        HostOut: {
            /** Id */
            id: number;
            /** Name */
            name: string;
            /** Ip Address */
            ip_address: string;
            /** Port */
            port: number;
            /** Username */
            username: string | null;
            /** Has Password */
            has_password: boolean;
            /** Os Type */
            os_type: string | null;
            /** Description */
            description: string;
            /** Groups */
            groups: components["schemas"]["GroupRef"][];
            /** Tags */
            tags: string[];
            /** Agent Id */
            agent_id: string | null;
            agent_status: components["schemas"]["AgentPresence"];
            /** Agent Version */
            agent_version: string | null;
            /** Last Seen At */
            last_seen_at: string | null;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Metrics */
            metrics: {
                [key: string]: number;
            } | null;
        };
        /**
         * HostPatch
         * @description What may be changed about a host; an absent field stays as it is.
         *
         *     `username`, `password` and `group` may be null: no account, no password, in no group. For the
         *     other fields null is refused.
         */
        HostPatch: {
            /** Name */
            name?: string | null;
            /** Ip Address */
            ip_address?: string | null;
            /** Port */
            port?: number | null;
            /** Username */
            username?: string | null;
            /** Password */
            password?: string | null;
            /** Group */
            group?: number | string | null;
            /** Description */
            description?: string | null;
            /** Tags */
            tags?: string[] | null;
            /** Allow Shared Address */
            allow_shared_address?: boolean | null;
        };
        /**
         * LogChunkOut
         * @description A piece of output; `text` is decoded for reading, `lossy` says that bytes were replaced.
         */
        LogChunkOut: {
            /** Position */
            position: number;
            /** Host */
            host: string;
            /** Host Id */
            host_id: number;
            /** Task Id */
            task_id: string;
            /** Attempt */
            attempt: number;
            /** Stream */
            stream: string;
            /** Seq */
            seq: number;
            /** Offset */
            offset: number;
            /** Text */
            text: string;
            /**
             * Lossy
             * @default false
             */
            lossy: boolean;
            /**
             * Gap Bytes
             * @default 0
             */
            gap_bytes: number;
            /** Reason */
            reason?: string | null;
        };
        /**
         * LogPage
         * @description A part of an execution's log in the order in which it was stored.
         */
        LogPage: {
            /** Chunks */
            chunks: components["schemas"]["LogChunkOut"][];
            /** Next Position */
            next_position: number;
            /** Complete */
            complete: boolean;
        };
        /**
         * LogStatus
         * @description What is known about a task's output.
         * @enum {string}
         */
        LogStatus: "none" | "live" | "complete" | "gap";
        /**
         * LoginIn
         * @description Credentials. Their form is not judged here: a bad one gets the answer of a wrong one.
         */
        LoginIn: {
            /** Username */
            username: string;
            /** Password */
            password: string;
        };
        /**
         * MeOut
         * @description Who the caller is and what the caller may do; `*` stands for everything.
         */
        MeOut: {
            /** Id */
            id: number;
            /** Username */
            username: string;
            /** Roles */
            roles: string[];
            /** Permissions */
            permissions: string[];
            /** Is Active */
            is_active: boolean;
            /** Must Change Password */
            must_change_password: boolean;
        };
        /** Page[AgentOut] */
        Page_AgentOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["AgentOut"][];
        };
        /** Page[ExecutionOut] */
        Page_ExecutionOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["ExecutionOut"][];
        };
        /** Page[GroupOut] */
        Page_GroupOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["GroupOut"][];
        };
        /** Page[HostOut] */
        Page_HostOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["HostOut"][];
        };
        /** Page[TaskOut] */
        Page_TaskOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["TaskOut"][];
        };
        /** Page[TokenOut] */
        Page_TokenOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["TokenOut"][];
        };
        /** Page[UserOut] */
        Page_UserOut_: {
            /** Total */
            total: number;
            /** Page */
            page: number;
            /** Page Size */
            page_size: number;
            /** Results */
            results: components["schemas"]["UserOut"][];
        };
        /**
         * PasswordChange
         * @description The present password proves that it is really the user who asks.
         */
        PasswordChange: {
            /** Current Password */
            current_password: string;
            /** New Password */
            new_password: string;
        };
        /**
         * RefreshIn
         * @description The newest refresh token of a login; an older one ends the login.
         */
        RefreshIn: {
            /** Refresh Token */
            refresh_token: string;
        };
        /**
         * Role
         * @description What a user can be; permissions follow from the policy below.
         * @enum {string}
         */
        Role: "admin" | "operator" | "viewer";
        /**
         * RoleOut
         * @description A role and what it allows.
         */
        RoleOut: {
            /** Name */
            name: string;
            /** Permissions */
            permissions: string[];
        };
        /**
         * ScriptRun
         * @description A script, how to run it and on which hosts.
         */
        ScriptRun: {
            /** Script Content */
            script_content: string;
            /** @default shell */
            script_type: components["schemas"]["ScriptType"];
            /** Target Host Ids */
            target_host_ids: number[];
            /**
             * Timeout
             * @default 300
             */
            timeout: number;
            /** Name */
            name?: string | null;
            /** Args */
            args?: string[];
            /** Env */
            env?: {
                [key: string]: string;
            };
            /** Run As */
            run_as?: string | null;
            /** Cwd */
            cwd?: string | null;
            /** Not After Seconds */
            not_after_seconds?: number | null;
        };
        /**
         * ScriptType
         * @description The language of a script; it decides the interpreter, never the content does.
         * @enum {string}
         */
        ScriptType: "shell" | "python" | "javascript" | "perl" | "powershell" | "go";
        /**
         * StepOut
         * @description A step with what it runs and, in a detail, its tasks.
         */
        StepOut: {
            /** Id */
            id: string;
            /** Name */
            name: string;
            /** Order */
            order: number;
            status: components["schemas"]["ExecutionStatus"];
            /** Counts */
            counts: {
                [key: string]: number;
            };
            script_type: components["schemas"]["ScriptType"];
            /** Script Content */
            script_content: string;
            /** Script Sha256 */
            script_sha256: string;
            /** Args */
            args: string[];
            /** Env */
            env: {
                [key: string]: string;
            };
            /** Run As */
            run_as: string | null;
            /** Cwd */
            cwd: string | null;
            /** Timeout Seconds */
            timeout_seconds: number;
            /** Tasks */
            tasks: components["schemas"]["TaskOut"][];
        };
        /**
         * TaskOut
         * @description One step on one host.
         */
        TaskOut: {
            /** Id */
            id: string;
            /** Step Id */
            step_id: string;
            /** Host Id */
            host_id: number;
            /** Host Name */
            host_name: string;
            /** Ip Address */
            ip_address: string;
            /** Agent Id */
            agent_id: string | null;
            status: components["schemas"]["TaskStatus"];
            /** Attempt */
            attempt: number;
            /** Exit Code */
            exit_code: number | null;
            /** Signal */
            signal: number | null;
            /** Reason */
            reason: string | null;
            /** Detail */
            detail: string | null;
            /**
             * Not After
             * Format: date-time
             */
            not_after: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Started At */
            started_at: string | null;
            /** Finished At */
            finished_at: string | null;
            /** Duration Ms */
            duration_ms: number | null;
            /** Stdout Bytes */
            stdout_bytes: number;
            /** Stderr Bytes */
            stderr_bytes: number;
            log_status: components["schemas"]["LogStatus"];
            /** Late Outcome */
            late_outcome: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * TaskStatus
         * @description Where one step on one host stands.
         * @enum {string}
         */
        TaskStatus: "queued" | "offered" | "claimed" | "running" | "success" | "failed" | "timeout" | "cancelled" | "lost" | "expired" | "rejected";
        /**
         * TokenCreate
         * @description A one-time token: for one host, or, without `host_id`, for one that is not known yet.
         */
        TokenCreate: {
            /** Host Id */
            host_id?: number | null;
            /**
             * Ttl Seconds
             * @default 600
             */
            ttl_seconds: number;
        };
        /**
         * TokenIssuedOut
         * @description A fresh token; the only moment at which its text is shown.
         */
        TokenIssuedOut: {
            /** Id */
            id: number;
            /** Token */
            token: string;
            /** Host Id */
            host_id: number | null;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
        };
        /**
         * TokenOut
         * @description A token without its text, which was shown once.
         */
        TokenOut: {
            /** Id */
            id: number;
            /** Host Id */
            host_id: number | null;
            state: components["schemas"]["TokenState"];
            /** Created By */
            created_by: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Used At */
            used_at: string | null;
            /** Agent Id */
            agent_id: string | null;
        };
        /**
         * TokenState
         * @description What became of a token.
         * @enum {string}
         */
        TokenState: "open" | "used" | "revoked" | "expired";
        /**
         * TokensOut
         * @description A pair of tokens; `expires_in` is the life of the access token in seconds.
         */
        TokensOut: {
            /** Access Token */
            access_token: string;
            /** Refresh Token */
            refresh_token: string;
            /** Expires In */
            expires_in: number;
            user: components["schemas"]["MeOut"];
        };
        /**
         * UserCreate
         * @description A new user. Length and content of the password are judged by the use case.
         */
        UserCreate: {
            /** Username */
            username: string;
            /** Password */
            password: string;
            /** Roles */
            roles?: components["schemas"]["Role"][];
            /**
             * Must Change Password
             * @default false
             */
            must_change_password: boolean;
        };
        /**
         * UserOut
         * @description A user as administrators see it.
         */
        UserOut: {
            /** Id */
            id: number;
            /** Username */
            username: string;
            /** Roles */
            roles: string[];
            /** Is Active */
            is_active: boolean;
            /** Must Change Password */
            must_change_password: boolean;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Last Login At */
            last_login_at: string | null;
        };
        /**
         * UserPatch
         * @description What may be changed about a user; an absent field stays as it is.
         */
        UserPatch: {
            /** Is Active */
            is_active?: boolean | null;
            /** Roles */
            roles?: components["schemas"]["Role"][] | null;
        };
        /**
         * UserSort
         * @description The orders in which users can be listed; a leading minus means descending.
         * @enum {string}
         */
        UserSort: "id" | "-id" | "username" | "-username" | "created_at" | "-created_at";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_agents_api_agents_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string | null;
                status?: components["schemas"]["AgentPresence"] | null;
                host_id?: number | null;
                sort?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_AgentOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_tokens_api_agents_enrolment_tokens_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                host_id?: number | null;
                state?: components["schemas"]["TokenState"] | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_TokenOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    issue_token_api_agents_enrolment_tokens_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TokenIssuedOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    revoke_token_api_agents_enrolment_tokens__token_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_agent_api_agents__agent_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retire_agent_api_agents__agent_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    disable_agent_api_agents__agent_id__disable_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    enable_agent_api_agents__agent_id__enable_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    login_api_auth_login_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TokensOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    logout_api_auth_logout_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    me_api_auth_me_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["MeOut"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_password_api_auth_password_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    refresh_api_auth_refresh_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshIn"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TokensOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_roles_api_auth_roles_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        /** Response List Roles Api Auth Roles Get */
                        content: components["schemas"]["RoleOut"][];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_users_api_auth_users_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string | null;
                is_active?: boolean | null;
                sort?: components["schemas"]["UserSort"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_UserOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_user_api_auth_users_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UserOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_user_api_auth_users__user_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UserOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_user_api_auth_users__user_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UserOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_executions_api_executor_execution_records_get: {
        parameters: {
            query?: {
                status?: components["schemas"]["ExecutionStatus"] | null;
                search?: string | null;
                page?: number;
                page_size?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_ExecutionOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_execution_api_executor_execution_records__execution_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ExecutionDetail"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    cancel_execution_api_executor_execution_records__execution_id__cancel_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CancelIn"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["CancelOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    read_log_api_executor_execution_records__execution_id__logs_get: {
        parameters: {
            query?: {
                position?: number;
                limit_bytes?: number;
                host_id?: number | null;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["LogPage"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_tasks_api_executor_execution_records__execution_id__tasks_get: {
        parameters: {
            query?: {
                status?: components["schemas"]["TaskStatus"] | null;
                page?: number;
                page_size?: number;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_TaskOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_hosts_api_hosts_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string | null;
                group_id?: number | null;
                agent_status?: components["schemas"]["AgentPresence"] | null;
                sort?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_HostOut_"];
                    };
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    register_host_api_hosts_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HostCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    list_groups_api_hosts_groups_get: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string | null;
                parent_id?: number | null;
                sort?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Page_GroupOut_"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    create_group_api_hosts_groups_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupCreate"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_group_api_hosts_groups__group_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    delete_group_api_hosts_groups__group_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_group_api_hosts_groups__group_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                group_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GroupOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    show_host_api_hosts__host_id__get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                host_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    retire_host_api_hosts__host_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                host_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: unknown;
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    change_host_api_hosts__host_id__patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                host_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["HostPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostOut"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    execute_script_api_quick_execute_script_post: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScriptRun"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["Accepted"];
                    };
                };
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
    follow_execution_api_realtime_sse__kind___execution_id__get: {
        parameters: {
            query?: {
                host_id?: number | null;
                last_event_id?: string | null;
            };
            header?: {
                "Last-Event-ID"?: string | null;
            };
            path: {
                kind: "logs" | "status" | "combined";
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Validation Error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
            /** @description Any error */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Error"];
                };
            };
        };
    };
}
