//! The shapes of real APIs, cut down to what their paging needs.

use super::table;

const PAGE_INFO: &str =
    "type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }";

#[test]
fn github() {
    let lines = table(&format!(
        "{PAGE_INFO}
        type Query {{ repository(owner: String!, name: String!): Repository search(query: String!, type: Type!, first: Int, after: String, last: Int, before: String): Found! rateLimit(dryRun: Boolean): RateLimit }}
        enum Type {{ ISSUE }}
        type RateLimit {{ limit: Int! cost: Int! nodeCount: Int! }}
        type Repository {{ id: ID! issues(after: String, before: String, first: Int, last: Int, states: [String!]): IssueConnection! }}
        type Issue {{ id: ID! comments(first: Int, after: String, last: Int, before: String): CommentConnection! }}
        type Comment {{ id: ID! }}
        union Item = Issue | Comment
        type Found {{ edges: [FoundEdge] nodes: [Item] pageInfo: PageInfo! issueCount: Int! }}
        type FoundEdge {{ cursor: String! node: Item textMatches: [Comment] }}
        type IssueConnection {{ edges: [IssueEdge] nodes: [Issue] pageInfo: PageInfo! totalCount: Int! }}
        type IssueEdge {{ cursor: String! node: Issue }}
        type CommentConnection {{ nodes: [Comment] pageInfo: PageInfo! totalCount: Int! }}"
    ));
    assert_eq!(
        lines,
        "Query.search: relay cursors; rows [nodes, edges.node]; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`\n\
         Repository.issues: relay cursors; rows [nodes, edges.node]; total totalCount; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`\n\
         Issue.comments: relay cursors; rows [nodes]; total totalCount; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`"
    );
}

#[test]
fn saleor_and_skedulo() {
    let lines = table(&format!(
        "{PAGE_INFO}
        type Query {{ products(filter: Filter, sortBy: Filter, channel: String, before: String, after: String, first: Int, last: Int): ProductConnection
          jobs(filter: String, orderBy: String, first: Int, after: String, offset: Int, limit: Int): JobConnection! }}
        input Filter {{ ids: [ID!] limit: Int }}
        type Product {{ id: ID! }}
        type ProductConnection {{ pageInfo: PageInfo! edges: [ProductEdge!]! totalCount: Int filters: [Product!] }}
        type ProductEdge {{ node: Product! cursor: String! }}
        type Job {{ UID: ID! JobTasks(filter: String, limit: Int): [Task!]! Notes: [Task!]! }}
        type Task {{ UID: ID! }}
        type JobConnection {{ totalCount: Int! pageInfo: PageInfo! edges: [JobEdge!]! }}
        type JobEdge {{ cursor: String! offset: Int! node: Job! }}"
    ));
    assert_eq!(
        lines,
        "Query.products: relay cursors; rows [edges.node]; total totalCount; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`\n\
         Query.jobs: relay cursors; rows [edges.node]; total totalCount; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`\n\
         Job.JobTasks: capped list; rows []; `limit`, and no way to ask for more"
    );
}

#[test]
fn fluid_attacks() {
    let lines = table(
        "type Query { group(groupName: String!): Group }
        type PageInfo { endCursor: String! hasNextPage: Boolean! }
        type Group { name: String toeLinesConnection(after: [String], first: Int, sort: Sort): Lines toeInputs(after: String, first: Int, bePresent: Boolean): Inputs findings: [Finding] }
        input Sort { field: String! order: String! }
        type Finding { id: String! }
        type Lines { edges: [LinesEdge] pageInfo: PageInfo! total: Int }
        type LinesEdge { cursor: String! node: Line }
        type Line { filename: String }
        type Inputs { edges: [InputEdge]! pageInfo: PageInfo! }
        type InputEdge { cursor: String! node: Line! }",
    );
    assert_eq!(
        lines,
        "Group.toeLinesConnection: relay cursors; rows [edges.node]; total total; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`\n\
         Group.toeInputs: relay cursors; rows [edges.node]; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`"
    );
}

#[test]
fn fabric() {
    let lines = table(
        "type Query { books(first: Int, after: String, filter: Filter, orderBy: Filter): BookConnection! book_by_pk(id: Int!): Book }
        input Filter { id: Int first: Int after: String }
        type Book { id: Int! authors(first: Int, after: String): AuthorConnection }
        type AuthorConnection { items: [Book!]! endCursor: String hasNextPage: Boolean! }
        type BookConnection { items: [Book!]! endCursor: String hasNextPage: Boolean! groupBy(fields: [String!]): [BookGroup!]! }
        type BookGroup { fields: Book }",
    );
    assert_eq!(
        lines,
        "Query.books: flat cursors; rows [items]; `first` and `after`, and `hasNextPage` and `endCursor`\n\
         Book.authors: flat cursors; rows [items]; `first` and `after`, and `hasNextPage` and `endCursor`"
    );
}

#[test]
fn monday() {
    let lines = table(
        "type Query { boards(ids: [ID!], limit: Int = 25, page: Int = 1): [Board] next_items_page(cursor: String!, limit: Int! = 25): ItemsResponse!
          items_page_by_column_values(board_id: ID!, limit: Int! = 25, cursor: String): ItemsResponse! }
        type Board { id: ID! items_page(limit: Int! = 25, cursor: String, query_params: Query_Params): ItemsResponse! }
        input Query_Params { ids: [ID!] }
        type ItemsResponse { cursor: String items: [Item!]! }
        type Item { id: ID! }",
    );
    assert_eq!(
        lines,
        "Query.boards: undecided (limit, page): write @paginate(style: PAGE_LIST, sizeArgument: \"limit\", \
         pageArgument: \"page\", firstPage: 1) behind it if its first page has that number, \
         or write @paginate(style: NONE) behind it if what it answers is all there is\n\
         Query.next_items_page: undecided (cursor, limit): it insists on `cursor`, so that it cannot give a first page: \
         ask for the field that the cursor comes from; \
         write @paginate(style: NONE) behind it if what it answers is all there is\n\
         Query.items_page_by_column_values: undecided (limit, cursor): write @paginate(style: FLAT_CURSOR, \
         sizeArgument: \"limit\", cursorArgument: \"cursor\", endCursor: \"cursor\") behind it if `cursor` is the \
         cursor of the next page, and null at the end, \
         or write @paginate(style: NONE) behind it if what it answers is all there is\n\
         Board.items_page: moving cursor; rows [items]; \
         `limit`, and `cursor`, which the root field `next_items_page` takes as `cursor`"
    );
}

#[test]
fn conviso() {
    let lines = table(&format!(
        "{PAGE_INFO}
        type Query {{ assets(companyId: ID!, page: Int, limit: Int, search: Search): AssetCollection!
          issues(companyId: ID!, pagination: PaginationInput!, filters: Search): IssueCollection!
          findings(page: Int!): AssetCollection! tags(page: Int = 1, limit: Int = 10): AssetCollection
          scanHistories(companyId: Int!, pagination: PaginationInput! = {{page: 1, perPage: 10}}): IssueCollection!
          chats(scopeId: Int!, after: String, before: String, first: Int, last: Int): ChatConnection!
          tecnologiesByCompany(id: ID!): AssetCollection vulnerabilityStatuses: [[String!]!]! }}
        input PaginationInput {{ page: Int = 1 perPage: Int = 10 }}
        input Search {{ page: Int limit: Int }}
        type CollectionMetadata {{ currentPage: Int! limitValue: Int! totalCount: Int! totalPages: Int! }}
        interface IssueInterface {{ id: ID! }}
        type Asset {{ id: ID! customMetadata: AssetCollection developers(page: Int, perPage: Int): AssetCollection! projects: [Asset!]! }}
        type AssetCollection {{ collection: [Asset!]! metadata: CollectionMetadata! }}
        type IssueCollection {{ collection: [IssueInterface!] metadata: CollectionMetadata }}
        type Chat {{ id: ID! }}
        type ChatConnection {{ edges: [ChatEdge] nodes: [Chat] pageInfo: PageInfo! }}
        type ChatEdge {{ cursor: String! node: Chat }}"
    ));
    let totals = "rows [collection]; total metadata.totalCount;";
    assert_eq!(
        lines,
        format!(
            "Query.assets: page numbers with totals; {totals} `limit` and `page`, and `metadata.totalPages`\n\
             Query.issues: page numbers in an input object; {totals} \
             `pagination.perPage` and `pagination.page`, and `metadata.totalPages`\n\
             Query.findings: page numbers with totals; {totals} `page`, and `metadata.totalPages`\n\
             Query.tags: page numbers with totals; {totals} `limit` and `page`, and `metadata.totalPages`\n\
             Query.scanHistories: page numbers in an input object; {totals} \
             `pagination.perPage` and `pagination.page`, and `metadata.totalPages`\n\
             Query.chats: relay cursors; rows [nodes, edges.node]; \
             `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`\n\
             Query.tecnologiesByCompany: capped list; {totals} no way to ask for more\n\
             Asset.customMetadata: capped list; {totals} no way to ask for more\n\
             Asset.developers: page numbers with totals; {totals} `perPage` and `page`, and `metadata.totalPages`"
        )
    );
}

#[test]
fn strapi() {
    let lines = table(
        "type Query {
          v4(filters: Filters, pagination: PaginationArg = {}, sort: [String] = []): ArticleEntityResponseCollection
          v5(filters: Filters, pagination: PaginationArg = {}, sort: [String] = []): [Article]!
          v5_connection(filters: Filters, pagination: PaginationArg = {}, sort: [String] = []): ArticleConnection }
        input PaginationArg { page: Int pageSize: Int start: Int limit: Int }
        input Filters { title: String }
        type ArticleEntityResponseCollection { data: [ArticleEntity!]! meta: ResponseCollectionMeta! }
        type ArticleEntity { id: ID attributes: Article }
        type ResponseCollectionMeta { pagination: Pagination! }
        type Pagination { total: Int! page: Int! pageSize: Int! pageCount: Int! }
        type Article { documentId: ID! title: String }
        type ArticleConnection { nodes: [Article!]! pageInfo: Pagination! }",
    );
    assert_eq!(
        lines,
        "Query.v4: page numbers in an input object; rows [data]; total meta.pagination.total; \
         `pagination.pageSize` and `pagination.page`, and `meta.pagination.pageCount`, \
         so pages rather than `pagination.start`\n\
         Query.v5: offset, bare list; rows []; `pagination.limit` and `pagination.start`, and a bare list\n\
         Query.v5_connection: page numbers in an input object; rows [nodes]; total pageInfo.total; \
         `pagination.pageSize` and `pagination.page`, and `pageInfo.pageCount`, so pages rather than `pagination.start`"
    );
}

#[test]
fn start_gg() {
    let lines = table(
        "type Query { tournaments(query: TournamentQuery!): TournamentConnection }
        input TournamentQuery { page: Int perPage: Int sortBy: String filter: TournamentFilter }
        input TournamentFilter { id: ID }
        type TournamentConnection { pageInfo: PageInfo nodes: [Tournament] }
        type PageInfo { total: Int totalPages: Int page: Int perPage: Int sortBy: String }
        type Tournament { id: ID sets(page: Int, perPage: Int, sortType: String): TournamentConnection streams: [Stream] }
        type Stream { id: ID }",
    );
    assert_eq!(
        lines,
        "Query.tournaments: page numbers in an input object; rows [nodes]; total pageInfo.total; \
         `query.perPage` and `query.page`, and `pageInfo.totalPages`\n\
         Tournament.sets: page numbers with totals; rows [nodes]; total pageInfo.total; \
         `perPage` and `page`, and `pageInfo.totalPages`"
    );
}

#[test]
fn anilist() {
    let lines = table(
        "type Query { Page(page: Int, perPage: Int): Page }
        type Page { pageInfo: PageInfo users(id: Int): [User] media(id: Int): [Media] }
        type PageInfo { total: Int perPage: Int currentPage: Int lastPage: Int hasNextPage: Boolean }
        type User { id: Int! }
        type Media { id: Int! characters(sort: [String], page: Int, perPage: Int): CharacterConnection }
        type CharacterConnection { edges: [CharacterEdge] nodes: [User] pageInfo: PageInfo }
        type CharacterEdge { node: User role: String }",
    );
    assert_eq!(
        lines,
        "Query.Page: undecided (page, perPage): write @paginate(style: PAGE_FLAG, sizeArgument: \"perPage\", \
         pageArgument: \"page\", items: \"users\") behind it (`items` is the list that you select: `users`, `media`), \
         or write @paginate(style: NONE) behind it if what it answers is all there is\n\
         Media.characters: page numbers with a flag; rows [nodes, edges.node]; total pageInfo.total; \
         `perPage` and `page`, and `pageInfo.hasNextPage`"
    );
}

#[test]
fn storyblok() {
    let lines = table(
        "type Query { PostItems(by_slugs: String, page: Int, per_page: Int, starts_with: String): PostItems RateLimit: Rate }
        type PostItems { items: [PostItem] total: Int }
        type PostItem { id: Int uuid: String }
        type Rate { maxCost: Float! }",
    );
    assert_eq!(
        lines,
        "Query.PostItems: page numbers with totals; rows [items]; total total; `per_page` and `page`, and `total`"
    );
}

#[test]
fn contentful_and_commercetools_and_hubspot() {
    let lines = table(
        "type Query { postCollection(skip: Int = 0, limit: Int = 100, preview: Boolean, where: Filter): PostCollection
          products(where: String, sort: [String!], limit: Int, offset: Int): ProductQueryResult!
          contact_collection(limit: Int! = 10, offset: Int! = 0): ContactCollection! }
        input Filter { limit: Int skip: Int }
        type PostCollection { total: Int! skip: Int! limit: Int! items: [Post]! }
        type ProductQueryResult { offset: Int! count: Int! total: Long! exists: Boolean! results: [Post!]! }
        type ContactCollection { items: [Post!]! total: Int! hasMore: Boolean! offset: Int! limit: Int! }
        scalar Long
        type Post { id: ID! }",
    );
    assert_eq!(
        lines,
        "Query.postCollection: offset with a total or a flag; rows [items]; total total; \
         `limit` and `skip`, and `total`\n\
         Query.products: offset with a total or a flag; rows [results]; total total; \
         `limit` and `offset`, and `total`\n\
         Query.contact_collection: offset with a total or a flag; rows [items]; total total; \
         `limit` and `offset`, and `hasMore`"
    );
}

#[test]
fn hot_chocolate() {
    let lines = table(
        "type Query { users(skip: Int, take: Int, where: Filter): UsersCollectionSegment orders(first: Int, after: String): OrdersConnection }
        input Filter { and: [Filter!] }
        type CollectionSegmentInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! }
        type UsersCollectionSegment { pageInfo: CollectionSegmentInfo! items: [User!] totalCount: Int! }
        type User { id: ID! }
        type PageInfo { hasNextPage: Boolean! endCursor: String }
        type OrdersConnection { pageInfo: PageInfo! edges: [OrdersEdge!] nodes: [User!] totalCount: Int! }
        type OrdersEdge { cursor: String! node: User! }",
    );
    assert_eq!(
        lines,
        "Query.users: offset with a total or a flag; rows [items]; total totalCount; \
         `take` and `skip`, and `pageInfo.hasNextPage`\n\
         Query.orders: relay cursors; rows [nodes, edges.node]; total totalCount; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`"
    );
}

#[test]
fn fibery() {
    let lines = table(
        "type Query { findBugs(orderBy: Order, limit: Int, offset: Int, id: Filter, createdBy: UserFilter): [Bug] me: User }
        input Order { id: String }
        input Filter { is: ID }
        input UserFilter { id: Filter limit: Int offset: Int }
        type User { id: ID }
        type Bug { id: ID tags(orderBy: Order, limit: Int, createdBy: UserFilter): [Tag] notes(createdBy: UserFilter): [Tag] }
        type Tag { id: ID createdBy: User }",
    );
    assert_eq!(
        lines,
        "Query.findBugs: offset, bare list; rows []; `limit` and `offset`, and a bare list\n\
         Bug.tags: capped list; rows []; `limit`, and no way to ask for more"
    );
}

#[test]
fn hasura_and_directus_and_postgraphile() {
    let lines = table(&format!(
        "{PAGE_INFO}
        type Query {{ authors(distinct_on: [String!], limit: Int, offset: Int, order_by: [Order!], where: Order): [Author!]!
          authors_aggregate(limit: Int, offset: Int, where: Order): Aggregate!
          articles(filter: Order, sort: [String], limit: Int, offset: Int, page: Int, search: String): [Author!]!
          allUsers(first: Int, last: Int, offset: Int, before: Cursor, after: Cursor, orderBy: [String!]): UsersConnection
          allUsersList(first: Int, offset: Int): [Author!] }}
        input Order {{ id: Int limit: Int }}
        scalar Cursor
        type Author {{ id: ID! }}
        type Aggregate {{ aggregate: Fields nodes: [Author!]! }}
        type Fields {{ count(columns: [String!], distinct: Boolean): Int! }}
        type UsersConnection {{ nodes: [Author]! edges: [UsersEdge!]! pageInfo: PageInfo! totalCount: Int! groupedAggregates: [Author!] }}
        type UsersEdge {{ cursor: Cursor node: Author }}"
    ));
    assert_eq!(
        lines,
        "Query.authors: offset, bare list; rows []; `limit` and `offset`, and a bare list\n\
         Query.authors_aggregate: offset, bare list; rows [nodes]; \
         `limit` and `offset`, and nothing that says how many rows there are\n\
         Query.articles: offset, bare list; rows []; `limit` and `offset`, and a bare list\n\
         Query.allUsers: relay cursors; rows [nodes, edges.node]; total totalCount; \
         `first` and `after`, and `pageInfo` with `hasNextPage` and `endCursor`\n\
         Query.allUsersList: offset, bare list; rows []; `first` and `offset`, and a bare list"
    );
}

#[test]
fn the_graph_and_dato_cms() {
    let lines = table(
        "type Query { tokens(skip: Int = 0, first: Int = 100, orderBy: Field, where: Filter, block: Block): [Token!]!
          allPosts(locale: String, skip: IntType = 0, first: IntType = 20, filter: Filter): [Post!]! _allPostsMeta(filter: Filter): Meta! }
        enum Field { id }
        input Filter { id_gt: ID first: Int skip: Int }
        input Block { number: Int }
        scalar IntType
        type Token { id: ID! transfers(skip: Int = 0, first: Int = 100): [Token!]! }
        type Post { id: ID! }
        type Meta { count: IntType! }",
    );
    assert_eq!(
        lines,
        "Query.tokens: offset, bare list; rows []; `first` and `skip`, and a bare list\n\
         Query.allPosts: offset, bare list; rows []; `first` and `skip`, and a bare list\n\
         Token.transfers: offset, bare list; rows []; `first` and `skip`, and a bare list"
    );
}
