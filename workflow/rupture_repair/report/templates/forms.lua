-- What pandoc's writers of PDF (by Typst) and DOCX leave out or do otherwise than the page.

local typst, docx = FORMAT == "typst", FORMAT == "docx"

-- Longest run of letters that still fits a narrow column.
local LONGEST = 24

local function quoted(text)
  return '"' .. text:gsub('\\', '\\\\'):gsub('"', '\\"') .. '"'
end

local function raw(text) return pandoc.RawBlock("typst", text) end

-- A word without a place to break would leave the page.
local function breakable(text)
  if not utf8.len(text) or utf8.len(text) <= LONGEST then return nil end
  local parts, run = {}, 0
  for _, code in utf8.codes(text) do
    table.insert(parts, utf8.char(code))
    run = code == 0x2d and 0 or run + 1
    if run == LONGEST then
      table.insert(parts, "\u{200b}")
      run = 0
    end
  end
  return table.concat(parts)
end

local function turns(text)
  for _, c in utf8.codes(text) do
    if (c >= 0x590 and c <= 0x8ff) or (c >= 0xfb1d and c <= 0xfdff) or (c >= 0xfe70 and c <= 0xfeff)
      or (c >= 0x200e and c <= 0x200f) or (c >= 0x202a and c <= 0x202e) then return true end
  end
  return false
end

-- Small pictures: places on a line, in hundredths of it, from what the page draws by its style sheet.
local PICTURES = {interval = true, range = true, bar = true}

local function picture(span)
  local places = {}
  for name, place in (span.attributes.style or ""):gmatch("%-%-(%a+): ([%d.]+)%%") do
    table.insert(places, name .. ": " .. place)
  end
  return pandoc.RawInline("typst", "#" .. span.classes[1] .. "-picture(" .. table.concat(places, ", ") .. ");")
end

-- Text from right to left is kept apart, so that its direction ends with it.
function Span(span)
  for _, class in ipairs({"said", "verdict", "light"}) do
    if span.classes:includes(class) then return pandoc.Strong(span.content) end
  end
  if typst and PICTURES[span.classes[1]] then return picture(span) end
  -- Word has no drawings within a line: what they show is said, where it is not next to them.
  if docx and (span.classes:includes("alone") or span.classes:includes("range")) then
    return pandoc.Inlines("(" .. span.attributes["aria-label"] .. ")")
  end
  if span.attributes.dir == "auto" and turns(pandoc.utils.stringify(span)) then
    local content = pandoc.Inlines({pandoc.Str("\u{2068}")})
    content:extend(span.content)
    content:insert(pandoc.Str("\u{2069}"))
    return content
  end
end

-- Three dots and two hyphens are abbreviations in Typst, in a text they are what they are.
function Str(str)
  if not typst then return nil end
  local text = breakable(str.text)
  if str.text:find("...", 1, true) or str.text:find("--", 1, true) or str.text:find("-?", 1, true) then
    return pandoc.RawInline("typst", "#" .. quoted(text or str.text) .. ";")
  end
  if text then return pandoc.Str(text) end
end

function Code(code)
  local text = typst and breakable(code.text)
  if text then return pandoc.Code(text) end
end

-- Reports link to each other in their own form; explorers and pages of checks have one form only.
function Link(link)
  local name = link.target:match("^([%w_-]+)%.html$")
  if name and not (link.classes:includes("form") or name:match("%-explorer$") or name:match("%-check$")) then
    link.target = name .. (typst and ".pdf" or ".docx")
    return link
  end
end

-- Width by height of a PNG, from its head.
local function shape(path)
  local file = io.open(PANDOC_STATE.resource_path[1] .. "/" .. path, "rb")
  if not file then return 1 end
  local width, height = string.unpack(">I4I4", file:read(24), 17)
  file:close()
  return width / height
end

-- Pandoc sets the points of a list in the small letters of tables.
function BulletList(list)
  if not docx then return nil end
  for _, blocks in ipairs(list.content) do
    for place, block in ipairs(blocks) do
      if block.t == "Plain" then blocks[place] = pandoc.Para(block.content) end
    end
  end
  return list
end

-- Word takes PNG; no drawing is taller than a page.
function Image(image)
  if not docx then return nil end
  image.src = image.src:gsub("%.svg$", ".png")
  if shape(image.src) < 17 / 21 then
    image.attributes.height = "21cm"
  else
    image.attributes.width = "17cm"
  end
  return image
end

-- Typst needs the alternative text of a drawing, which pandoc does not hand over.
function Figure(figure)
  local image
  figure:walk({Image = function(found) image = found end})
  if not typst or not image then return nil end
  local alt = pandoc.utils.stringify(image.caption)
  local caption = pandoc.write(pandoc.Pandoc(figure.caption.long), "typst-citations")
  return raw("#figure(drawn(" .. quoted(image.src) .. ", " .. quoted(alt) .. "), alt: " ..
    quoted(alt) .. ", placement: auto, caption: [" .. caption .. "])")
end

-- A term and what it says stand on one line.
function DefinitionList(list)
  if not typst then return nil end
  local items = {}
  for _, item in ipairs(list.content) do
    local term = pandoc.write(pandoc.Pandoc({pandoc.Plain(item[1])}), "typst-citations")
    for _, said in ipairs(item[2]) do
      local words = pandoc.write(pandoc.Pandoc(said), "typst-citations")
      table.insert(items, "terms.item([" .. term .. "], [" .. words .. "])")
    end
  end
  return raw("#terms(" .. table.concat(items, ", ") .. ")")
end

local FRAMES = {
  banner = 'fill: rgb("#fdf3ec"), stroke: (left: 3pt + rgb("#9a3d00")), inset: 9pt, width: 100%',
  failed = 'fill: rgb("#fdf3ec"), stroke: (left: 3pt + rgb("#9a3d00")), inset: 9pt, width: 100%',
  paste = 'stroke: (left: 2pt + luma(80%)), inset: (left: 9pt, y: 2pt), width: 100%',
}

-- The cards of the first screen stand next to each other.
local function cards(div)
  local blocks = pandoc.Blocks({raw("#cards(")})
  for _, card in ipairs(div.content) do
    blocks:insert(raw("["))
    blocks:extend(card.content)
    blocks:insert(raw("],"))
  end
  blocks:insert(raw(")"))
  return blocks
end

function Div(div)
  -- Word and PDF have no closed parts: what is asked for on a page is in the table of the appendix.
  if div.classes:includes("why") then return {} end
  if not typst then return nil end
  if div.classes:includes("cards") then return cards(div) end
  for _, class in ipairs(div.classes) do
    if FRAMES[class] then
      local blocks = pandoc.Blocks({raw("#block(" .. FRAMES[class] .. ")[")})
      blocks:extend(div.content)
      blocks:insert(raw("]"))
      return blocks
    elseif class == "scroll" then
      local blocks = pandoc.Blocks({})
      if div.identifier ~= "" then blocks:insert(raw("#metadata(none) <" .. div.identifier .. ">")) end
      blocks:extend(div.content)
      return blocks
    end
  end
end

-- Letters of a line on an upright and on a lying page, of a cell's margins, of the longest word in a
-- column, and of the longest cell that is not wrapped.
local LINE, LYING, MARGINS, WORD, CELL = 105, 158, 2.5, 22, 40

-- Word breaks words in columns that are too narrow for them: none is narrower than its longest word,
-- and what is left of the line goes to those with more to say.
function Table(tbl)
  if not docx then return nil end
  local least, wanted, fixed, all = {}, {}, 0, 0
  local function look(rows)
    for _, row in ipairs(rows) do
      for place, cell in ipairs(row.cells) do
        local text = pandoc.utils.stringify(cell.contents)
        local word = 3
        for part in text:gmatch("%S+") do word = math.max(word, math.min(utf8.len(part) or 3, WORD)) end
        local length = math.max(word, math.min(utf8.len(text) or 3, CELL))
        least[place] = math.max(least[place] or 0, word + MARGINS)
        wanted[place] = math.max(wanted[place] or 0, length + MARGINS)
      end
    end
  end
  look(tbl.head.rows)
  for _, body in ipairs(tbl.bodies) do look(body.body) end
  for place, width in ipairs(least) do fixed, all = fixed + width, all + wanted[place] end
  local line = fixed > LINE and LYING or LINE
  local share = all > line and math.max(line - fixed, 0) / math.max(all - fixed, 1) or 1
  for place, width in ipairs(least) do
    tbl.colspecs[place][2] = (width + share * (wanted[place] - width)) / math.max(line, fixed)
  end
  if line == LYING then tbl.classes:insert("lying") end
  return tbl
end

-- The end of a section of pages in a Word document, upright or lying.
local function section(lying)
  local wide, high = lying and 16838 or 11906, lying and 11906 or 16838
  return pandoc.RawBlock("openxml", ('<w:p><w:pPr><w:pStyle w:val="Compact"/><w:sectPr><w:pgSz w:w="%d" w:h="%d"%s/>' ..
    '<w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134"/></w:sectPr></w:pPr></w:p>')
    :format(wide, high, lying and ' w:orient="landscape"' or ""))
end

local function holds(block, kind)
  local found = false
  block:walk({[kind] = function(one) found = found or kind ~= "Table" or one.classes:includes("lying") end})
  return found
end

-- Tables that are too wide for an upright page lie, together with the words between them.
function Pandoc(document)
  if not docx then return nil end
  local blocks, lying, waiting = pandoc.Blocks({}), false, pandoc.Blocks({})
  for _, block in ipairs(document.blocks) do
    local wide = block.t == "Div" and holds(block, "Table")
    local upright = block.t == "Div" and holds(block, "Figure") or block.t == "Header" and block.level == 1
    if wide then
      if not lying then blocks:insert(section(false)) end
      blocks:extend(waiting)
      waiting, lying = pandoc.Blocks({}), true
      blocks:insert(block)
    elseif not lying then
      blocks:insert(block)
    elseif upright then
      blocks:insert(section(true))
      blocks:extend(waiting)
      waiting, lying = pandoc.Blocks({}), false
      blocks:insert(block)
    else
      waiting:insert(block)
    end
  end
  if lying then blocks:insert(section(true)) end
  blocks:extend(waiting)
  document.blocks = blocks
  return document
end
