# SPDX-License-Identifier: Apache-2.0
# What a project's examples look like to conf/integrations/rspec_marks.rb: one that asks once per row, one that does not; a hook asks too.
require "pg"
require_relative "rspec_marks"

RSpec.describe "Orders" do
  before do
    @connection = PG.connect(ENV.fetch("DATABASE_URL"))
    @connection.exec("SELECT count(*) FROM orders")
  end

  after { @connection.close }

  it "loop" do
    @connection.exec("SELECT customer_id FROM orders ORDER BY id").column_values(0).each do |customer|
      @connection.exec_params("SELECT name FROM customers WHERE id = $1", [customer])
    end
  end

  it "join" do
    @connection.exec("SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id")
  end
end
